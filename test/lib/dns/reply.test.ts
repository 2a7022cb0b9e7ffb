import packets from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { endOfName, readName } from '../../../lib/dns/domain-name.ts'
import { maxRecords, readReply, textsOf } from '../../../lib/dns/reply.ts'

const name = '_acme-challenge.gw.example.org'
const asked = { id: 7, name, type: 'TXT' } as const
const reply = (extra: Partial<packets.Packet>) =>
  packets.encode({
    type: 'response',
    id: 7,
    flags: packets.AUTHORITATIVE_ANSWER,
    questions: [{ name, type: 'TXT' }],
    ...extra,
  })
const nsec = (bytes: number) => {
  const blocks = Array.from({ length: Math.floor(bytes / 34) }, (_, n) => Buffer.from([n & 255, 32, ...Array(32).fill(255)]))
  const data = Buffer.concat([Buffer.of(0), ...blocks])
  return Buffer.concat([Buffer.from([0, 0, 47, 0, 1, 0, 0, 0, 0, data.length >> 8, data.length & 255]), data])
}

describe('readReply', () => {
  it('reads texts, names and the first name of an SOA', () => {
    const soa = { mname: 'ns.example.org', rname: 'a.b', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 }
    const message = reply({
      answers: [
        { type: 'TXT', name, ttl: 9, data: ['a', 'b'] },
        { type: 'CNAME', name, ttl: 9, data: 'other.example.net' },
        { type: 'A', name, ttl: 9, data: '192.0.2.1' },
      ],
      authorities: [
        { type: 'NS', name: 'example.org', ttl: 3, data: 'ns.example.org' },
        { type: 'SOA', name: 'example.org', ttl: 3, data: soa },
      ],
    })
    const read = readReply(message, asked)
    expect(read).toEqual({
      rcode: 0,
      authoritative: true,
      truncated: false,
      answers: [
        { name, type: 'TXT', ttl: 9, data: 'ab' },
        { name, type: 'CNAME', ttl: 9, data: 'other.example.net' },
        { name, type: 'other', ttl: 9, data: '1 c0000201' },
      ],
      authorities: [
        { name: 'example.org', type: 'NS', ttl: 3, data: 'ns.example.org' },
        { name: 'example.org', type: 'SOA', ttl: 3, data: 'ns.example.org' },
      ],
    })
    expect(read && textsOf(read)).toEqual(['ab'])
  })

  it('takes no reply to another question, with another id, or that is a question itself', () => {
    const good = reply({ answers: [] })
    expect(readReply(good, asked)).toBeDefined()
    expect(readReply(good, { ...asked, id: 8 })).toBeUndefined()
    expect(readReply(good, { ...asked, type: 'SOA' })).toBeUndefined()
    expect(readReply(good, { ...asked, name: `x${name}` })).toBeUndefined()
    expect(readReply(packets.encode({ type: 'query', id: 7, questions: [{ name, type: 'TXT' }] }), asked)).toBeUndefined()
  })

  it('does not decode NSEC bitmaps: double the bytes take no longer', () => {
    const spent = (bytes: number) => {
      const message = Buffer.concat([reply({ answers: [] }), nsec(bytes)])
      message.writeUInt16BE(1, 6)
      const began = performance.now()
      for (let n = 0; n < 300; n++) expect(readReply(message, asked)).toBeDefined()
      return performance.now() - began
    }
    spent(1_000)
    // A hundred times the bytes: decoded, they took three hundred times as long.
    expect(spent(60_000)).toBeLessThan(20 * spent(600) + 100)
  })

  it(`reads ${maxRecords} records of a section, and ignores the rest`, () => {
    const empty = Buffer.from([0, 0, 99, 0, 1, 0, 0, 0, 0, 0, 0])
    const message = Buffer.concat([reply({ answers: [] }), ...Array.from({ length: 5_000 }, () => empty)])
    message.writeUInt16BE(5_000, 6)
    expect(readReply(message, asked)?.answers).toHaveLength(maxRecords)
  })

  it('never throws, whatever bytes come', () => {
    const good = reply({
      answers: [{ type: 'TXT', name, ttl: 9, data: 'a' }],
      authorities: [{ type: 'NS', name, ttl: 1, data: 'a.b' }],
    })
    const bent = fc
      .tuple(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }), fc.nat(good.length))
      .map(([changes, cut]) => {
        const message = Buffer.from(good)
        for (const [at, byte] of changes) message[at] = byte
        return message.subarray(0, cut)
      })
    fc.assert(
      fc.property(fc.oneof(bent, fc.uint8Array({ maxLength: 300 }).map(Buffer.from)), (message) => {
        readReply(message, asked)
      }),
      { numRuns: 20_000 },
    )
  })
})

describe('readName', () => {
  it('follows pointers to earlier names only', () => {
    const message = Buffer.from([1, 97, 0, 1, 98, 0xc0, 0, 0xc0, 7, 0xc0, 20])
    expect(readName(message, 3)).toBe('b.a')
    expect(endOfName(message, 3)).toBe(7)
    expect(readName(message, 7)).toBeUndefined()
    expect(readName(message, 9)).toBeUndefined()
  })
  it('follows a few pointers, and no chain of thousands', () => {
    const chain = Buffer.alloc(16_000)
    for (let at = 2; at < chain.length; at += 2) chain.writeUInt16BE(0xc000 | (at - 2), at)
    expect(readName(chain, 40)).toBe('')
    expect(readName(chain, 15_998)).toBeUndefined()
  })
  it('takes no name of more than 255 bytes, and writes what does not print as numbers', () => {
    const label = Buffer.concat([Buffer.of(63), Buffer.alloc(63, 'a')])
    expect(readName(Buffer.concat([label, label, label, Buffer.of(61), Buffer.alloc(61, 'a'), Buffer.of(0)]), 0)).toHaveLength(
      253,
    )
    expect(readName(Buffer.concat([label, label, label, label, Buffer.of(0)]), 0)).toBeUndefined()
    expect(readName(Buffer.from([4, 0, 46, 92, 255, 0]), 0)).toBe('\\000\\.\\\\\\255')
  })
})
