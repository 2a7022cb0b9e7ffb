import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { beginInTurn, costOf } from '../../../../plugins/engine/embedded/h2/beginnings.ts'

test('a client that begins one request does not wait behind the many of another', async () => {
  await turn()
  const began: string[] = []
  const connection = (client: string, name: string, requests: number) => {
    let left = requests
    const job = () => {
      began.push(name)
      if (--left > 0) beginInTurn(client, job)
      return costOf(900)
    }
    beginInTurn(client, job)
  }
  for (let at = 0; at < 40; at++) connection('192.0.2.1', `flood ${at}`, 50)
  const before = began.length
  expect(before).toBeLessThan(5)
  connection('192.0.2.2', 'quiet', 1)
  await turn()
  await turn()
  expect(began.slice(before).indexOf('quiet')).toBeLessThan(6)
  // Those of one client take turns as well.
  while (began.length < 60) await turn()
  expect(new Set(began.slice(0, 60)).size).toBe(41)
  while (began.length < 2_001) await turn()
})

test('few requests begin at once', () => {
  let began = 0
  beginInTurn('192.0.2.3', () => {
    began++
    return costOf(10)
  })
  expect(began).toBe(1)
})
