import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { check, type Key, sign } from '../../../plugins/dns-provider/rfc2136/tsig.ts'

// The server's side is written here by itself, from RFC 8945 sections 4.2, 4.3 and 5.3.
const now = 1_700_000_000
const key: Key = { name: 'gateway', algorithm: 'hmac-sha256', secret: Buffer.alloc(32, 1) }
const asked = sign(Buffer.from('1234280000010000000000000765786d61706c65000006000 1'.replaceAll(' ', ''), 'hex'), key, now)

const name = (text: string) =>
  Buffer.concat(
    [...text.split('.').filter(Boolean), ''].map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
  )
const u16 = (...numbers: number[]) => Buffer.concat(numbers.map((number) => Buffer.of(number >> 8, number & 255)))
const u48 = (number: number) => {
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(number, 0, 6)
  return bytes
}
interface Said {
  readonly name?: string
  readonly algorithm?: string
  readonly secret?: Buffer
  readonly signed?: number
  readonly fudge?: number
  readonly original?: number
  readonly error?: number
  /** Of the request that it answers. */
  readonly mac?: Buffer
  readonly change?: (mac: Buffer) => Buffer
  readonly rcode?: number
}
const reply = (said: Said = {}): Buffer => {
  const { signed = now, fudge = 300, original = 0x1234, error = 0, rcode = 0 } = said
  const [owner, algorithm] = [name(said.name ?? 'gateway'), name(said.algorithm ?? 'hmac-sha256')]
  const bare = u16(0x1234, 0xa800 | rcode, 0, 0, 0, 0)
  const requestMac = said.mac ?? asked.mac
  const hmac = createHmac('sha256', said.secret ?? key.secret)
  hmac.update(
    Buffer.concat([u16(requestMac.length), requestMac, u16(original), bare.subarray(2), owner, u16(255, 0, 0), algorithm]),
  )
  hmac.update(Buffer.concat([u48(signed), u16(fudge, error, 0)]))
  const digest = hmac.digest()
  const mac = said.change?.(digest) ?? digest
  const data = Buffer.concat([algorithm, u48(signed), u16(fudge, mac.length), mac, u16(original, error, 0)])
  const message = Buffer.concat([bare, owner, u16(250, 255, 0, 0, data.length), data])
  message.writeUInt16BE(1, 10)
  return message
}
const checked = (answer: Buffer) => check(answer, key, asked, now)

test('a reply that the server signed is valid, its clock 299 s off too', () => {
  expect(checked(reply())).toBe('valid')
  expect(checked(reply({ signed: now - 299 }))).toBe('valid')
  expect(checked(reply({ signed: now + 299 }))).toBe('valid')
})

test.each<[string, Said]>([
  ['of another secret', { secret: Buffer.alloc(32, 2) }],
  ['with one bit of the MAC changed', { change: (mac) => Buffer.concat([Buffer.of((mac[0] ?? 0) ^ 1), mac.subarray(1)]) }],
  ['with a truncated MAC', { change: (mac) => mac.subarray(0, 16) }],
  ['with a MAC of one byte', { change: (mac) => mac.subarray(0, 1) }],
  ['without a MAC', { change: () => Buffer.alloc(0) }],
  ['with a longer MAC', { change: (mac) => Buffer.concat([mac, Buffer.of(0)]) }],
  ['of a key with another name', { name: 'another' }],
  ['of another algorithm', { algorithm: 'hmac-sha512' }],
  ['to another id', { original: 0x4321 }],
  ['to another request', { mac: Buffer.alloc(32, 3) }],
  ['of before the fudge', { signed: now - 301 }],
  ['of after the fudge', { signed: now + 301 }],
  ['of a day ago, with a fudge that covers it', { signed: now - 86_400, fudge: 65_535 }],
  ['of beyond its own fudge', { signed: now - 20, fudge: 10 }],
  ['with an error and a MAC that does not fit', { error: 18, change: () => Buffer.alloc(32) }],
])('a reply %s is not', (_name, said) => {
  expect(checked(reply(said))).toBe('invalid')
})

test('a reply without TSIG, and one that was changed on its way, is not', () => {
  expect(checked(u16(0x1234, 0xa800, 0, 0, 0, 0))).toBe('invalid')
  const refused = reply({ rcode: 5 })
  refused[3] = (refused[3] ?? 0) & 0xf0
  expect(checked(refused)).toBe('invalid')
})

test('a reply that is cut anywhere is never valid', () => {
  const whole = reply()
  for (let length = 12; length < whole.length; length++) {
    let verdict: unknown
    try {
      verdict = checked(whole.subarray(0, length))
    } catch {
      verdict = 'thrown'
    }
    expect(verdict, `${length} bytes`).not.toBe('valid')
  }
})

test('of a signed error the number is told', () => {
  expect(checked(reply({ error: 18 }))).toBe(18)
})
