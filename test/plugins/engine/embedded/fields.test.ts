import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Client,
  type Fields,
  fieldValue,
  requestFields,
  responseFields,
  switchingFields,
} from '../../../../plugins/engine/embedded/fields.ts'
import { unlimitedBuffers } from './unlimited-buffers.ts'

const client: Client = {
  address: '192.0.2.1',
  secure: true,
  port: '443',
  trusted: false,
  serverName: 'a.test',
  buffers: unlimitedBuffers(),
}
const ours = [
  ['X-Forwarded-For', '192.0.2.1'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Host', 'a.test'],
  ['X-Forwarded-Port', '443'],
  ['X-Real-Ip', '192.0.2.1'],
].flat()

const pairs = (fields: Fields) => Array.from({ length: fields.length / 2 }, (_, i) => [fields[2 * i], fields[2 * i + 1]])

describe('the fields of a request', () => {
  test.each<[string, Fields, Fields]>([
    [
      'keep what is end to end, in order and as spelled',
      ['accept', '*/*', 'X-A', '1', 'x-a', '2'],
      ['accept', '*/*', 'X-A', '1', 'x-a', '2'],
    ],
    [
      'lose what is for one hop',
      ['Keep-Alive', '5', 'TE', 'trailers', 'Upgrade', 'x', 'Proxy-Connection', 'x', 'Transfer-Encoding', 'chunked'],
      [],
    ],
    ['lose what Connection lists', ['X-A', '1', 'Connection', 'close, x-a', 'X-B', '2'], ['X-B', '2']],
    ['lose what Connection lists anywhere', ['Connection', 'x-a', 'X-A', '1', 'connection', 'X-B', 'x-b', '2'], []],
    ['lose lengths, which whoever frames the body writes', ['Content-Length', '5'], []],
    ['lose the Host, which stands first', ['Host', 'else.test'], []],
    ['get one Cookie of many', ['cookie', 'a=1', 'x-a', '1', 'cookie', 'b=2'], ['cookie', 'a=1; b=2', 'x-a', '1']],
    [
      'lose what a client says of itself',
      ['Forwarded', 'for=1.2.3.4', 'X-Forwarded-For', '1.2.3.4', 'x-real-ip', '1.2.3.4', 'X-Forwarded-Anything', 'x'],
      [],
    ],
    [
      'lose it in spellings that CGI reads alike',
      ['X_Forwarded_For', '1.2.3.4', 'X_Real-IP', '1.2.3.4', 'X-Forwarded_Proto', 'http'],
      [],
    ],
    [
      'keep names that only look like it',
      ['X-Forward', '1', 'Forwarded-By', '2', 'X-Real-Ip-Not', '3'],
      ['X-Forward', '1', 'Forwarded-By', '2', 'X-Real-Ip-Not', '3'],
    ],
  ])('%s', (_what, fields, kept) => {
    expect(requestFields(fields, 'a.test', client)).toEqual(['Host', 'a.test', ...kept, ...ours])
  })

  test.each([
    ['a.test', '443', 'a.test'],
    ['a.test:443', '443', 'a.test:443'],
    ['a.test:8443', '8443', 'a.test:8443'],
    ['a.test:1337', '443', 'a.test'],
    ['a.test:1337', '8443', 'a.test'],
    ['a.test:08443', '8443', 'a.test'],
    ['[::1]', '80', '[::1]'],
    ['[::1]:81', '81', '[::1]:81'],
    ['[::1]:81', '80', '[::1]'],
  ])('for %s on port %s say that port, and the host as %s', (host, port, forwarded) => {
    const out = requestFields(['X-Forwarded-Port', '666', 'x-forwarded_port', '666'], host, { ...client, port })
    expect([fieldValue(out, 'x-forwarded-port'), fieldValue(out, 'x-forwarded-host')]).toEqual([port, forwarded])
    expect(out.slice(0, 2)).toEqual(['Host', host])
  })

  test('of a trusted proxy are believed in their own spelling only: the proxy may not know of another', () => {
    const said = ['X_Forwarded_For', '6.6.6.6', 'X-Forwarded-For', '198.51.100.7', 'x-real_ip', '6.6.6.6']
    const out = requestFields(said, 'a.test', { ...client, trusted: true })
    expect(out.filter((text) => text.includes('6.6.6.6') || text.includes('_'))).toEqual([])
    expect(fieldValue(out, 'x-forwarded-for')).toBe('198.51.100.7, 192.0.2.1')
  })

  test('keep what a trusted proxy says, and add the proxy', () => {
    const said = [
      'X-Forwarded-For',
      '198.51.100.7',
      'x-forwarded-for',
      '203.0.113.9',
      'X-Forwarded-Proto',
      'http',
      'Forwarded',
      'for=x',
      'X-Real-Ip',
      '198.51.100.7',
    ]
    const out = requestFields(said, 'a.test', { ...client, trusted: true })
    expect(fieldValue(out, 'x-forwarded-for')).toBe('198.51.100.7, 203.0.113.9, 192.0.2.1')
    expect(fieldValue(out, 'x-forwarded-proto')).toBe('http')
    expect(fieldValue(out, 'forwarded')).toBe('for=x')
    expect(fieldValue(out, 'x-real-ip')).toBe('198.51.100.7')
    expect(fieldValue(out, 'x-forwarded-host')).toBe('a.test')
  })

  test('say one thing only of the client, whatever it sends', () => {
    const name = fc.constantFrom(
      'X-Forwarded-For',
      'x_forwarded_for',
      'X-FORWARDED-FOR',
      'Forwarded',
      'X-Real-IP',
      'x_real_ip',
      'Connection',
      'X-Other',
    )
    const value = fc.constantFrom('6.6.6.6', 'X-Forwarded-For', 'x-real-ip, close', 'keep-alive', '')
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (sent) => {
        const out = pairs(requestFields(sent.flat(), 'a.test', client))
        const same = out.filter(([field = '']) => field.toLowerCase().replaceAll('_', '-') === 'x-forwarded-for')
        expect(same).toEqual([['X-Forwarded-For', '192.0.2.1']])
        expect(out.filter(([field = '']) => /^(x.real.ip|forwarded)$/i.test(field))).toEqual([['X-Real-Ip', '192.0.2.1']])
      }),
    )
  })
})

describe('the fields of an answer', () => {
  test('lose what is for one hop and what Connection lists', () => {
    const sent = [
      'Connection',
      'keep-alive, X-Hop',
      'Keep-Alive',
      'timeout=5',
      'X-Hop',
      '1',
      'Transfer-Encoding',
      'chunked',
      'Set-Cookie',
      'a',
      'Set-Cookie',
      'b',
    ]
    expect(responseFields(sent)).toEqual(['Set-Cookie', 'a', 'Set-Cookie', 'b'])
  })

  test('say the new protocol again where it switches', () => {
    expect(switchingFields(['upgrade', 'websocket', 'Connection', 'upgrade', 'X-A', '1'])).toEqual([
      'X-A',
      '1',
      'Connection',
      'Upgrade',
      'Upgrade',
      'websocket',
    ])
  })
})
