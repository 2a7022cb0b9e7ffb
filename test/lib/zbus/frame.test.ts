import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, encode, encodeFloats, encodeRequest, encodeResponse, readRequest } from '../../../lib/zbus/index.ts'
import { encodeStatus } from '../../../lib/zbus/status.ts'
import { bytes, hex, vectors } from './vectors.ts'

const requestOf = (payload: Uint8Array) => {
  const { request } = readRequest(payload)
  if (!request) throw new Error('no request')
  return request
}

describe('a request', () => {
  it.each(Object.entries(vectors))('%s: is read, and written again byte for byte', (_, { method, object, request }) => {
    const read = requestOf(bytes(request))
    expect(read.method).toBe(method)
    expect(`${read.object.name}@${read.object.version}`).toBe(object)
    expect(hex(encodeRequest(read))).toBe(request)
  })

  it('is written from arguments as the Go client writes it', () => {
    const { request } = vectors['set name, struct form']!
    const { id, replyTo, method, object } = requestOf(bytes(request))
    const config = { TLSPassthrough: false, Backends: ['http://10.1.2.3:9000'], Network: null, Name: 'hamada' }
    const inputs = ['40-1976-workloadname', config].map(encode)
    expect(hex(encodeRequest({ id, inputs, object, replyTo, method }))).toBe(request)
  })

  it('may come with its keys in any order, with unknown ones, and without those that are zero', () => {
    expect(readRequest(encode({ ReplyTo: 'r', New: [1, { a: 2 }], 7: 'seven', ID: 'i' })).request).toEqual({
      id: 'i',
      inputs: [],
      object: { name: '', version: '' },
      replyTo: 'r',
      method: '',
    })
  })

  it('takes byte strings for texts and texts for byte strings, as Go does', () => {
    const { request } = readRequest(encode({ ID: Buffer.from('i'), ReplyTo: Buffer.from('r'), Inputs: ['ab'], Object: null }))
    expect(request).toMatchObject({ id: 'i', replyTo: 'r' })
    expect(Buffer.from(request!.inputs[0]!).toString()).toBe('ab')
  })
})

describe('an answer', () => {
  const answer = (name: string) => vectors[name]!.response
  const idOf = (name: string) => requestOf(bytes(vectors[name]!.request)).id

  it('has the bytes of the Go server, with one result', () => {
    for (const name of ['set name, struct form', 'set name, four arguments'])
      expect(hex(encodeResponse({ id: idOf(name), data: encode('hamada.gw.example.org') }))).toBe(answer(name))
  })
  it('has the bytes of the Go server, with no result', () => {
    for (const name of ['set fqdn, struct form', 'set fqdn, four arguments', 'delete', 'extra unknown field', 'missing fields'])
      expect(hex(encodeResponse({ id: idOf(name), data: null }))).toBe(answer(name))
  })
  it('has the bytes of the Go server, with the error of a method', () => {
    for (const name of ['method error', 'nil backends'])
      expect(hex(encodeResponse({ id: idOf(name), data: encode(''), failed: 'backends list can not be empty' }))).toBe(
        answer(name),
      )
  })
  it('has the bytes of the Go server, with the error of zbus', () => {
    for (const [name, error] of [
      ['unknown method', 'not a function'],
      ['wrong count', 'invalid number of arguments expecting 4 got 1'],
      ['wrong type', 'invalid argument type [0] expecting string got'],
      ['wrong type list', 'invalid argument type [2] expecting []string got'],
      ['undecodable argument', 'invalid argument type [0] expecting string got'],
    ] as const)
      expect(hex(encodeResponse({ id: idOf(name), data: null, error }))).toBe(answer(name))
  })
  it('has the bytes of the Go server, with metrics: every number a float64, whole ones too', () => {
    const data = encodeFloats({ Request: { '40-1976-w': 12, '37-2039-t': 1.5 }, Response: { '40-1976-w': 3456 } })
    expect(hex(encodeResponse({ id: idOf('metrics'), data }))).toBe(answer('metrics'))
  })
  it('has the bytes of the Go server, with a status, but for the nanoseconds that a Date cannot hold', () => {
    const objects = ['manager', 'gateway'].map((name) => ({ name, version: '0.0.1' }))
    const given = answer('status')
    const at = given.indexOf('d7ff') + 4
    const stamp = bytes(given.slice(at, at + 16)).readBigUInt64BE()
    const since = new Date(Number(stamp & 0x3_ffff_ffffn) * 1_000 + Math.trunc(Number(stamp >> 34n) / 1e6))
    const ours = hex(
      encodeResponse({ id: idOf('status'), data: encodeStatus({ objects, workers: [{ state: 'free', since, action: '' }] }) }),
    )
    expect(ours.slice(0, at)).toBe(given.slice(0, at))
    expect(ours.slice(at + 16)).toBe(given.slice(at + 16))
    expect(decode(bytes(`d7ff${ours.slice(at, at + 16)}`))).toEqual(since)
  })

  it('has the bytes that the MessagePack library writes, whatever is in it', () => {
    const text = fc.string({ unit: 'binary', maxLength: 80 })
    const long = fc.nat({ max: 70_000 }).map((length) => 'x'.repeat(length))
    const data = fc.option(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        long.map((text) => Buffer.from(text)),
      ),
    )
    const some = fc.option(fc.oneof(text, long), { nil: undefined })
    fc.assert(
      fc.property(text, data, some, some, (id, data, failed, error) => {
        const answer = { id, data, ...(failed !== undefined && { failed }), ...(error !== undefined && { error }) }
        const Output = { Data: data, Error: failed === undefined ? null : { Message: failed } }
        expect(hex(encodeResponse(answer))).toBe(hex(encode({ ID: id, Output, Error: error ?? null })))
      }),
    )
  })
})
