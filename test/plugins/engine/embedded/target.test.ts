import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkRequest, hostKey, mayUpgrade } from '../../../../plugins/engine/embedded/target.ts'

const check = (url: string, fields: string[] = ['Host', 'a.test'], method = 'GET', version = '1.1') =>
  checkRequest(method, url, version, fields)

describe('what a request asks for', () => {
  test.each([
    ['/', '/'],
    ['/a/../b?c=%2e%2e//', '/a/../b?c=%2e%2e//'],
    ['http://a.test/x?y', '/x?y'],
    ['HTTP://A.TEST', '/'],
    ['http://a.test?y', '/?y'],
  ])('is, of %s, %s, byte for byte', (url, target) => {
    expect(check(url)).toEqual({ authority: 'a.test', target })
  })

  test('may be the server itself, by OPTIONS only', () => {
    expect(check('*', ['Host', 'a.test'], 'OPTIONS')).toEqual({ authority: 'a.test', target: '*' })
    expect(check('*')).toMatchObject({ status: 400 })
  })

  test.each<[string, string, string[]]>([
    ['without a host', '/', []],
    ['with two hosts', '/', ['Host', 'a.test', 'host', 'a.test']],
    ['with an empty host', '/', ['Host', '']],
    ['with a host that is none', '/', ['Host', 'a.test/x']],
    ['with user information', '/', ['Host', 'u@a.test']],
    ['with a list of hosts', '/', ['Host', 'a.test, b.test']],
    ['with a port that is none', '/', ['Host', 'a.test:x']],
    ['with a URL of another host', 'http://b.test/', ['Host', 'a.test']],
    ['with a URL of another port', 'http://a.test:81/', ['Host', 'a.test']],
    ['without a slash', 'x', ['Host', 'a.test']],
    ['with another scheme', 'ftp://a.test/', ['Host', 'a.test']],
    ['with what would be cut on the wire', '/\u010a', ['Host', 'a.test']],
    ['for HTTP/2 by Upgrade', '/', ['Host', 'a.test', 'Upgrade', 'websocket, h2c']],
    ['with an unknown coding', '/', ['Host', 'a.test', 'Transfer-Encoding', 'gzip, chunked']],
    ['with two codings', '/', ['Host', 'a.test', 'Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'identity']],
  ])('is refused %s', (_what, url, fields) => {
    expect(check(url, fields)).toMatchObject({ status: 400 })
  })

  test('is refused in HTTP/1.0 with a transfer coding', () => {
    expect(check('/', ['Host', 'a.test', 'Transfer-Encoding', 'chunked'], 'POST', '1.0')).toMatchObject({ status: 400 })
  })

  test.each(['SET', 'FLUSHALL', 'get', 'GETX', 'HELO', 'stats', '__proto__', 'GE\rT', 'GET /x HTTP/1.1\r\nX:', ''])(
    'is not forwarded by the method %j, which no server of HTTP knows',
    (method) => {
      expect(check('/', ['Host', 'a.test'], method)).toMatchObject({ status: 501 })
    },
  )

  test.each([
    'GET',
    'LIST',
    'RDG_OUT_DATA',
    'BITS_POST',
    'VERSION-CONTROL',
    'UPDATE',
    'LABEL',
    'ORDERPATCH',
    'BAN',
    'POLL',
    'QUERY',
  ])('is forwarded by %s', (method) => {
    expect(check('/', ['Host', 'a.test'], method)).toMatchObject({ target: '/' })
  })

  test.each(['CONNECT', 'TRACE'])('is not served by %s', (method) => {
    expect(check('/', ['Host', 'a.test'], method)).toMatchObject({ status: 405 })
  })

  test('is one host or none, whatever is sent', () => {
    const host = fc.string({
      unit: fc.constantFrom('a', 'B', '.', ':', '1', '/', '@', '[', ']', ' ', ',', '\t', '-', '_'),
      maxLength: 20,
    })
    fc.assert(
      fc.property(host, (text) => {
        const asked = check('/', ['Host', text])
        if ('authority' in asked) expect(hostKey(asked.authority)).toMatch(/^(?:[a-z0-9._-]*|\[[0-9a-f:.]+\])$/)
      }),
    )
  })
})

describe('the key of a host', () => {
  test.each([
    ['A.Test', 'a.test'],
    ['a.test.', 'a.test'],
    ['a.test:8443', 'a.test'],
    ['a.test.:8443', 'a.test'],
    ['[::1]:80', '[::1]'],
    ['[::1]', '[::1]'],
  ])('of %s is %s', (text, key) => {
    expect(hostKey(text)).toBe(key)
  })
})

describe('an upgrade', () => {
  const asks = ['Connection', 'Upgrade', 'Upgrade', 'websocket']
  test('is for a GET without a body', () => {
    expect(mayUpgrade('GET', '1.1', asks)).toBe(true)
    expect(mayUpgrade('GET', '1.1', [...asks, 'Content-Length', '0'])).toBe(true)
  })
  test.each<[string, string, string, string[]]>([
    ['another method', 'POST', '1.1', asks],
    ['HTTP/1.0', 'GET', '1.0', asks],
    ['a body', 'GET', '1.1', [...asks, 'Content-Length', '1']],
    ['chunks', 'GET', '1.1', [...asks, 'Transfer-Encoding', 'chunked']],
    ['HTTP/2', 'GET', '1.1', ['Upgrade', 'h2c']],
    ['nothing', 'GET', '1.1', []],
  ])('is not for %s', (_what, method, version, fields) => {
    expect(mayUpgrade(method, version, fields)).toBe(false)
  })
})
