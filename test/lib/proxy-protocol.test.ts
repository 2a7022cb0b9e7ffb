import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseIp } from '../../lib/ip.ts'
import { proxyHeader, readProxyHeader } from '../../lib/proxy-protocol.ts'

const canonical = (text: string) => parseIp(text)?.text ?? ''
const address = fc.oneof(fc.ipV4(), fc.ipV6()).filter((text) => parseIp(text) !== undefined)
const connected = fc.record({
  source: fc.record({ address, port: fc.nat(65_535) }),
  destination: fc.record({ address, port: fc.nat(65_535) }),
})

describe('the PROXY protocol', () => {
  test('reads what it writes, in both versions, and leaves what follows', () => {
    fc.assert(
      fc.property(fc.constantFrom('v1', 'v2'), connected, fc.uint8Array({ maxLength: 40 }), (version, said, rest) => {
        const header = proxyHeader(version, said)
        expect(readProxyHeader(Buffer.concat([header, rest]))).toEqual({
          state: 'header',
          length: header.length,
          connected: {
            source: { ...said.source, address: canonical(said.source.address) },
            destination: { ...said.destination, address: canonical(said.destination.address) },
          },
        })
      }),
    )
  })

  test('waits for more at every place where a header may be cut', () => {
    fc.assert(
      fc.property(fc.constantFrom('v1', 'v2'), connected, (version, said) => {
        const header = proxyHeader(version, said)
        for (let cut = 0; cut < header.length; cut++) expect(readProxyHeader(header.subarray(0, cut)).state).toBe('more')
      }),
    )
  })

  test('takes bytes of any kind without throwing', () => {
    const junk = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))
    const like = fc
      .tuple(fc.constantFrom('PROXY ', '\r\n\r\n\0\r\nQUIT\n'), junk)
      .map(([start, rest]) => Buffer.concat([Buffer.from(start, 'latin1'), rest]))
    fc.assert(fc.property(fc.oneof(junk, like), (bytes) => ['more', 'bad', 'header'].includes(readProxyHeader(bytes).state)))
  })

  test.each([
    ['PROXY UNKNOWN\r\n', 15],
    ['PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n', 35],
  ])('knows no source from %j', (text, length) => {
    expect(readProxyHeader(Buffer.from(text))).toEqual({ state: 'header', length, connected: undefined })
  })

  test('knows no source from a LOCAL header of version 2, and passes over its TLVs', () => {
    const local = Buffer.from([...Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'), 0x20, 0, 0, 3, 4, 0, 0])
    expect(readProxyHeader(local)).toEqual({ state: 'header', length: 19, connected: undefined })
  })

  test.each([
    'GET / HTTP/1.1\r\n\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n',
    'PROXY TCP4 ::1 ::1 1 2\r\n',
    'PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n',
    'PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n',
    `PROXY TCP4 ${'1'.repeat(120)}`,
    'PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n',
  ])('refuses %j', (text) => {
    expect(readProxyHeader(Buffer.from(text)).state).toBe('bad')
  })

  test('says UNKNOWN of what is no address', () => {
    const nobody = { source: { address: '', port: 0 }, destination: { address: '', port: 0 } }
    expect(proxyHeader('v1', nobody).toString()).toBe('PROXY UNKNOWN\r\n')
    expect(readProxyHeader(proxyHeader('v2', nobody))).toEqual({ state: 'header', length: 16, connected: undefined })
  })
})
