import { describe, expect, it } from 'vitest'
import { backendAddress, formatBackend, parseBackend } from '../../lib/backend.ts'

const v6 = '[2001:db8:3333:4444:CCCC:DDDD:EEEE:FFFF]'
const low = v6.toLowerCase()

/** The reference's own table (zosbase, pkg/gridtypes/zos/gw_test.go): backend, valid for passthrough, valid where TLS ends here. */
const reference: readonly (readonly [string, boolean, boolean])[] = [
  ['1.1.1.1:10', true, false],
  ['1.1.1.1', false, false],
  ['1.1.1.1:port', false, false],
  ['ip:10', false, false],
  ['1.1.1.1:1000000', false, false],
  ['http://1.1.1.1:10', false, true],
  ['http://1.1.1.1:port', false, false],
  ['http://ip:10', false, false],
  ['http://1.1.1.1', false, true],
  ['http://ip', false, false],
  [`${v6}:10`, true, false],
  [`${v6}:port`, false, false],
  [`${v6}:1000000`, false, false],
  [`http://${v6}:10`, false, true],
  [`http://${v6}:port`, false, false],
  [`http://${v6}`, false, true],
  ['', false, false],
  ['1.1.1.1:80', true, false],
  ['2.2.2.2:443', true, false],
  ['http://2.2.2.2:443', false, true],
  ['2.2.2.2', false, false],
  ['3.3.3.3:port', false, false],
  ['127.0.0.1:8080', true, false],
  ['[::1]:8080', true, false],
  ['[2001:db8::1]:8080', true, false],
  ['2001:db8::1:8080', false, false],
  ['2001:db8:3333:4444:CCCC:DDDD:EEEE:FFFF:200', false, false],
  ['http://[2001:db8::1]:8080', false, true],
  ['http://localhost', false, false],
  ['invalid', false, false],
  ['http://invalid', false, false],
  ['ftp://1.1.1.1', false, false],
]
/** Where we differ from it on purpose. */
const ours: readonly (readonly [string, boolean, boolean, string])[] = [
  ['https://1.1.1.1', false, true, 'the gateway speaks TLS to the backend'],
  ['https://3.3.3.3:443', true, true, 'the form of the manual for passthrough'],
  ['http://127.0.0.1', false, true, 'loopback is the backends policy’s to refuse, in both forms'],
  ['http://[::1]', false, true, 'the same'],
  ['http://1.1.1.1:0', false, false, 'nobody can be dialed there'],
  ['1.1.1.1:0', false, false, 'nobody can be dialed there'],
  ['http://1.1.1.1:65536', false, false, 'no port'],
  ['http://1.1.1.1:', false, false, 'no port'],
  ['http://u:p@1.1.1.1', false, false, 'user info would be sent, logged or lost'],
  ['http://1.1.1.1/path', false, false, 'a path would not be used'],
  ['http://1.1.1.1?a=b', false, false, 'a query would not be used'],
  ['http://1.1.1.1?', false, false, 'nor an empty one'],
  ['http://1.1.1.1#f', false, false, 'nor a fragment'],
]
/** Odd spellings (fault 4): Go refuses them all. */
const odd: readonly string[] = [
  'http://2130706433',
  'http://0x7f.1',
  'http://0x7f000001:80',
  'http://127.1:80',
  'http://0177.0.0.1',
  'http://127.000.000.001',
  'http://1.1.1.1.:80',
  'http://\uff11.1.1.1',
  'http://1\u30021\u30021\u30021',
  'http://[fe80::1%25eth0]:80',
  'http://[fe80::1%eth0]:80',
  'http://[1.1.1.1]:80',
  'http://::1:80',
  'http://[::1',
  'http://::1]',
  'http://[[::1]]:80',
  'http://1.1.1.1:+80',
  'http://1.1.1.1:-80',
  'http://1.1.1.1: 80',
  'http://1.1.1.1:8\u0660',
  'http://1.1.1.1:80:80',
  'http://1.1.1.1\\@2.2.2.2',
  'http:1.1.1.1',
  'http:/1.1.1.1',
  'http:///1.1.1.1',
  'http//1.1.1.1',
  ' http://1.1.1.1',
  'http://1.1.1.1 ',
  'http://1.1.1.1\n',
  'ht\u0000tp://1.1.1.1',
  'http\u017f://1.1.1.1',
  '//1.1.1.1',
  '1.1.1.1:+80',
  '1.1.1.1:80 ',
  '1.1.1.1:8_0',
  '[::1]',
  '[::1]:80:80',
  '[::1%eth0]:80',
  ':80',
  '1.1.1.1:80/',
]

describe('parseBackend', () => {
  it.each(reference)('%j: passthrough %s, terminated %s', (text, passthrough, terminated) => {
    expect(typeof parseBackend(text, true) === 'object').toBe(passthrough)
    expect(typeof parseBackend(text, false) === 'object').toBe(terminated)
  })
  it.each(ours)('%j: passthrough %s, terminated %s, since %s', (text, passthrough, terminated) => {
    expect(typeof parseBackend(text, true) === 'object').toBe(passthrough)
    expect(typeof parseBackend(text, false) === 'object').toBe(terminated)
  })
  it.each(odd)('refuses %j', (text) => {
    expect(parseBackend(text, false)).toBeTypeOf('string')
    expect(parseBackend(text, true)).toBeTypeOf('string')
  })
  it('refuses a long text without reading it', () =>
    expect(parseBackend(`http://${'1'.repeat(100_000)}`, false)).toBeTypeOf('string'))

  it.each([
    ['http://10.20.30.40', false, 'http', '10.20.30.40:80', 'http://10.20.30.40', 'http://10.20.30.40:80'],
    ['HTTP://10.20.30.40:0500/', false, 'http', '10.20.30.40:500', 'http://10.20.30.40:500', 'http://10.20.30.40:500'],
    ['https://10.20.30.40', false, 'https', '10.20.30.40:443', 'https://10.20.30.40', 'https://10.20.30.40:443'],
    [`http://${v6}:200`, false, 'http', `${low}:200`, `http://${low}:200`, `http://${low}:200`],
    [`${v6}:200`, true, 'tcp', `${low}:200`, `${low}:200`, `${low}:200`],
    ['10.20.30.40:500', true, 'tcp', '10.20.30.40:500', '10.20.30.40:500', '10.20.30.40:500'],
    ['https://10.20.30.40:500', true, 'tcp', '10.20.30.40:500', 'https://10.20.30.40:500', '10.20.30.40:500'],
    ['[::ffff:10.20.30.40]:500', true, 'tcp', '10.20.30.40:500', '10.20.30.40:500', '10.20.30.40:500'],
  ])('%s, passthrough %s: %s to %s', (text, passthrough, scheme, address, canonical, formatted) => {
    const backend = parseBackend(text, passthrough)
    if (typeof backend === 'string') return expect.fail(backend)
    expect(backend.scheme).toBe(scheme)
    expect(backendAddress(backend)).toBe(address)
    expect(backend.text).toBe(canonical)
    expect(formatBackend(backend)).toBe(formatted)
    expect(parseBackend(backend.text, passthrough)).toEqual(backend)
  })
})
