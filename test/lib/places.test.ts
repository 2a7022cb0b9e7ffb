import { describe, expect, it } from 'vitest'
import { clientAddress, networkOf } from '../../lib/client-address.ts'
import { Places } from '../../lib/places.ts'

const holders = (count: number) => Array.from({ length: count }, (_, n) => ({ n, destroyed: false, destroy: () => undefined }))
const open = (bounds: { total: number; each: number }) => {
  const gone: string[] = []
  const places = new Places<{ destroy(): void }>(bounds)
  return { gone, places, take: (address: string, name: string) => places.take(address, { destroy: () => void gone.push(name) }) }
}

describe('Places', () => {
  it('takes the oldest place of an address that has its share', () => {
    const { gone, places, take } = open({ total: 10, each: 2 })
    for (const name of ['a1', 'a2', 'a3', 'a4']) take('a', name)
    take('b', 'b1')
    expect(gone).toEqual(['a1', 'a2'])
    expect(places.size).toBe(3)
  })
  it('takes from the address that has the most where all places are taken', () => {
    const { gone, take } = open({ total: 4, each: 3 })
    take('b', 'b1')
    for (const name of ['a1', 'a2', 'a3']) take('a', name)
    take('c', 'c1')
    take('d', 'd1')
    expect(gone).toEqual(['a1', 'a2'])
  })
  it('has a place back once, whoever gives it', () => {
    const places = new Places({ total: 2, each: 2 })
    const [one, two] = holders(2)
    if (!one || !two) throw new Error('two were made')
    places.take('a', one)
    places.release('a', one)
    places.release('a', one)
    places.release('b', two)
    expect(places.size).toBe(0)
    expect([...places]).toEqual([])
  })
})

describe('clientAddress', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    [undefined, ''],
  ])('counts %s by itself', (given, wanted) => expect(clientAddress(given)).toBe(wanted))
  it('counts a /64 of IPv6 as one client', () => {
    expect(clientAddress('2001:db8:0:1::1')).toBe(clientAddress('2001:db8:0:1:ffff::'))
    expect(clientAddress('2001:db8:0:1::1')).not.toBe(clientAddress('2001:db8:0:2::1'))
    expect(clientAddress('fe80::1%eth0')).toBe(clientAddress('fe80::2'))
  })
  it('makes no network of IPv4 one of IPv6', () =>
    expect(networkOf('32.1.13.1', { v4: 24, v6: 56 })).not.toBe(networkOf('2001:d00::', { v4: 24, v6: 24 })))
})
