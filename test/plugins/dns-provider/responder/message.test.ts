import packets from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answer, type Way } from '../../../../plugins/dns-provider/responder/message.ts'
import { zoneOf } from '../../../../plugins/dns-provider/responder/zone.ts'

const apex = '_acme-challenge.gw.example.org'
const value = (at: number) => `${at}`.padStart(43, 'v')
const zonesOf = (count: number) => [
  zoneOf(
    'gw.example.org',
    'gw.example.org',
    7,
    Array.from({ length: count }, (_, at) => value(at)),
  ),
]
const query = (name: string, type: packets.RecordType, extra: Partial<packets.Packet> = {}) =>
  packets.encode({ type: 'query', id: 4_711, flags: packets.RECURSION_DESIRED, questions: [{ name, type }], ...extra })
const opt = (change: object = {}) => ({
  additionals: [
    {
      type: 'OPT',
      name: '.',
      udpPayloadSize: 4_096,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
      ...change,
    },
  ] as packets.Answer[],
})
const asked = (message: Buffer, { values = 2, way = 'udp' as Way } = {}) => {
  const bytes = answer(message, zonesOf(values), way)
  if (!bytes) return undefined
  const packet = packets.decode(bytes)
  return { ...packet, rcode: bytes.readUInt8(3) & 15, length: bytes.length, bytes }
}

describe('the responder', () => {
  it('answers every value, with authority and without recursion', () => {
    const reply = asked(query(apex, 'TXT'))
    expect(reply).toMatchObject({
      id: 4_711,
      rcode: 0,
      flag_qr: true,
      flag_aa: true,
      flag_ra: false,
      flag_rd: true,
      flag_tc: false,
    })
    expect(reply?.answers?.map((each) => each.type === 'TXT' && String(each.data))).toEqual([value(0), value(1)])
    expect(reply?.additionals).toEqual([])
  })

  it('keeps the case of the question in question and answer (0x20)', () => {
    const name = '_AcMe-ChAlLeNgE.gW.eXaMpLe.OrG'
    const reply = asked(query(name, 'TXT'))
    expect(reply?.questions?.[0]?.name).toBe(name)
    expect(reply?.answers?.map((each) => each.name)).toEqual([name, name])
  })

  it.each(['A', 'AAAA', 'CAA', 'MX', 'CNAME'] as const)(
    'says of %s that the name has none, with the SOA (RFC 2308 section 2.2)',
    (type) => {
      const reply = asked(query(apex, type))
      expect(reply).toMatchObject({ rcode: 0, flag_aa: true, answers: [] })
      expect(reply?.authorities).toMatchObject([
        { type: 'SOA', name: apex, ttl: 1, data: { minimum: 1, mname: 'gw.example.org', serial: 7 } },
      ])
    },
  )

  it('says the same of TXT while there is no value', () => {
    expect(asked(query(apex, 'TXT'), { values: 0 })).toMatchObject({ rcode: 0, answers: [], authorities: [{ type: 'SOA' }] })
  })

  it('says that nothing is below the name (RFC 2308 section 2.1)', () => {
    const reply = asked(query(`x.${apex}`, 'TXT'))
    expect(reply).toMatchObject({ rcode: 3, flag_aa: true, answers: [], authorities: [{ type: 'SOA', name: apex }] })
  })

  it('gives SOA and NS at the top of the zone, and little for ANY (RFC 8482)', () => {
    expect(asked(query(apex, 'SOA'))?.answers).toMatchObject([{ type: 'SOA', name: apex }])
    expect(asked(query(apex, 'NS'))?.answers).toMatchObject([{ type: 'NS', data: 'gw.example.org' }])
    expect(asked(query(apex, 'ANY' as never), { values: 50 })?.answers).toMatchObject([
      { type: 'HINFO', data: { cpu: 'RFC8482' } },
    ])
  })

  it.each(['example.org', 'gw.example.org', '_acme-challenge.evilgw.example.org', 'evil_acme-challenge.gw.example.org', '.'])(
    'refuses %s, in no more bytes than it was asked in',
    (name) => {
      const message = query(name, 'TXT', opt())
      expect(asked(message)).toMatchObject({ rcode: 5, flag_aa: false, answers: [], authorities: [] })
      expect(asked(message)?.length).toBeLessThanOrEqual(message.length)
    },
  )
  it('takes a dot within a label for no border of labels', () => {
    const message = query(apex, 'TXT')
    // _acme-challenge.gw: one label of 18 instead of labels of 15 and 2.
    message[12] = 18
    message[12 + 16] = '.'.charCodeAt(0)
    expect(asked(message)).toMatchObject({ rcode: 5 })
  })
  it('refuses a transfer, and every class but IN', () => {
    expect(asked(query(apex, 'AXFR'), { way: 'tcp' })).toMatchObject({ rcode: 5 })
    expect(asked(query(apex, 'IXFR'), { way: 'tcp' })).toMatchObject({ rcode: 5 })
    expect(asked(packets.encode({ type: 'query', questions: [{ name: apex, type: 'TXT', class: 'CH' }] }))).toMatchObject({
      rcode: 5,
    })
  })

  it('cuts what is too long for UDP, and gives it whole over TCP', () => {
    const plain = asked(query(apex, 'TXT'), { values: 200 })
    expect(plain).toMatchObject({ flag_tc: true, rcode: 0, answers: [] })
    expect(plain?.length).toBeLessThan(100)
    expect(asked(query(apex, 'TXT', opt({ udpPayloadSize: 65_535 })), { values: 200 })).toMatchObject({ flag_tc: true })
    expect(asked(query(apex, 'TXT', opt()), { values: 10 })).toMatchObject({ flag_tc: false })
    expect(asked(query(apex, 'TXT'), { values: 10 })).toMatchObject({ flag_tc: true })
    expect(asked(query(apex, 'TXT', opt({ udpPayloadSize: 0 })), { values: 3 })).toMatchObject({ flag_tc: false })
    expect(asked(query(apex, 'TXT'), { values: 200, way: 'tcp' })?.answers).toHaveLength(200)
  })
  it('asks who had many answers over UDP to come by TCP', () => {
    const message = query(apex, 'TXT', opt())
    const reply = asked(message, { way: 'udp-spare' })
    expect(reply).toMatchObject({ flag_tc: true, answers: [], authorities: [] })
    expect(reply?.length).toBeLessThanOrEqual(message.length)
  })

  it('speaks EDNS version 0 to who does, and says so to who asks for another (RFC 6891 section 6.1.3)', () => {
    expect(asked(query(apex, 'TXT', opt()))?.additionals).toMatchObject([
      { type: 'OPT', udpPayloadSize: 1_232, extendedRcode: 0 },
    ])
    expect(asked(query(apex, 'TXT', opt({ ednsVersion: 1 })))).toMatchObject({
      rcode: 0,
      answers: [],
      additionals: [{ extendedRcode: 1 }],
    })
    expect(asked(query(apex, 'TXT', { additionals: [...(opt().additionals ?? []), ...(opt().additionals ?? [])] }))?.rcode).toBe(
      1,
    )
  })
  it('takes options of EDNS that it does not know', () => {
    const options = [
      { code: 10, data: Buffer.alloc(8) },
      { code: 65_001, data: Buffer.alloc(20) },
    ]
    expect(asked(query(apex, 'TXT', opt({ options })))).toMatchObject({ rcode: 0 })
  })

  it('says nothing to answers and to what has no header, and little to the rest', () => {
    expect(asked(packets.encode({ type: 'response', questions: [{ name: apex, type: 'TXT' }] }))).toBeUndefined()
    expect(asked(Buffer.alloc(11))).toBeUndefined()
    expect(asked(Buffer.alloc(12))).toMatchObject({ rcode: 1, length: 12 })
    const update = query(apex, 'SOA')
    update[2] = 5 << 3
    expect(asked(update)).toMatchObject({ rcode: 4, length: 12 })
    const two = packets.encode({
      type: 'query',
      questions: [
        { name: apex, type: 'TXT' },
        { name: apex, type: 'A' },
      ],
    })
    expect(asked(two)).toMatchObject({ rcode: 1, length: 12 })
  })

  it('answers whatever bytes come without an error, never an answer by an answer, never long but for its own name', () => {
    const good = query(apex, 'TXT', opt())
    const bent = fc
      .tuple(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }), fc.nat(good.length))
      .map(([changes, cut]) => {
        const message = Buffer.from(good)
        for (const [at, byte] of changes) message[at] = byte
        return message.subarray(0, Math.max(cut, 12))
      })
    const any = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(fc.oneof(bent, any), fc.constantFrom<Way>('udp', 'udp-spare', 'tcp'), (message, way) => {
        const reply = answer(message, zonesOf(3), way)
        if (!reply) return
        expect(reply.readUInt16BE(0)).toBe(message.readUInt16BE(0))
        expect(reply.readUInt8(2) & 0x80).toBe(0x80)
        if (reply.readUInt16BE(6) === 0 && reply.readUInt16BE(8) === 0)
          expect(reply.length).toBeLessThanOrEqual(message.length + 11)
        packets.decode(reply)
      }),
      { numRuns: 20_000 },
    )
  })
})
