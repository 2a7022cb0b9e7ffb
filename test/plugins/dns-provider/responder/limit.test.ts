import { expect, it } from 'vitest'
import { answerLimit } from '../../../../plugins/dns-provider/responder/limit.ts'

const stopped = { rate: 2, burst: 3 }
const count = (allowance: ReturnType<typeof answerLimit>, addresses: readonly string[], wanted = 'full') =>
  addresses.filter((address) => allowance(address) === wanted).length

it('gives a network its burst and then its rate', () => {
  let at = 0
  const allowance = answerLimit({ ...stopped, now: () => at })
  const asks = (times: number) =>
    count(
      allowance,
      Array.from({ length: times }, (_, n) => `192.0.2.${n}`),
    )
  expect(asks(10)).toBe(3)
  at = 1_000
  expect(asks(10)).toBe(2)
  at = 60_000
  expect(asks(10)).toBe(3)
})

it('counts a /56 of IPv6 as one network, and no network for another', () => {
  const allowance = answerLimit({ ...stopped, now: () => 0 })
  expect(count(allowance, ['2001:db8:1:ff00::1', '2001:db8:1:ff01::1', '2001:db8:1:ff02:3::', '2001:db8:1:ffff::'])).toBe(3)
  expect(count(allowance, ['2001:db8:1:fe00::1', '192.0.2.1', '192.0.3.1', '2001:db8::1', '::1'])).toBe(5)
})

it('remembers only so many networks', () => {
  const allowance = answerLimit({ rate: 1, burst: 1, networks: 2, now: () => 0 })
  expect(count(allowance, ['192.0.1.1', '192.0.2.1', '192.0.3.1', '192.0.3.2'])).toBe(3)
  expect(allowance('192.0.1.1')).toBe('full')
})

it('gives a network that is over its rate ten times as many short answers, and then none', () => {
  const allowance = answerLimit({ ...stopped, now: () => 0 })
  const flood = Array.from({ length: 100 }, (_, n) => allowance(`192.0.2.${n}`))
  expect([flood.indexOf('truncated'), flood.indexOf('none')]).toEqual([3, 33])
  expect(allowance('198.51.100.1')).toBe('full')
})
