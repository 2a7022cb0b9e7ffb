import { once } from 'node:events'
import { createServer as createHttp } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { expect, test } from 'vitest'
import { httpsClient } from '../../lib/acme/https.ts'
import { proxyFor } from '../../lib/proxy.ts'
import { createAuthority } from '../kit/index.ts'

const by = (url: string, env: Record<string, string>) => proxyFor(new URL(url), undefined, env)?.host

test('the proxy of an https URL is that of https_proxy or HTTPS_PROXY, with or without a scheme', () => {
  expect(by('https://ca.example/dir', {})).toBeUndefined()
  expect(by('https://ca.example/dir', { HTTPS_PROXY: 'http://proxy.example:3128' })).toBe('proxy.example:3128')
  expect(by('https://ca.example/dir', { HTTPS_PROXY: 'http://a:1', https_proxy: 'b:2' })).toBe('b:2')
  expect(proxyFor(new URL('https://ca.example'), false, { HTTPS_PROXY: 'http://a:1' })).toBeUndefined()
  expect(() => by('https://ca.example', { HTTPS_PROXY: 'socks5://me:secret@a:1' })).toThrow(/^(?!.*secret)/)
})

test.each([
  ['*', 'https://ca.example', true],
  ['ca.example', 'https://ca.example', true],
  ['example', 'https://ca.example', true],
  ['.ca.example', 'https://acme.ca.example', true],
  ['*.ca.example', 'https://acme.ca.example', true],
  ['a.example', 'https://ca.example', false],
  ['other.test, ca.example:8443', 'https://ca.example', false],
  ['other.test, ca.example:8443', 'https://ca.example:8443', true],
  ['127.0.0.0/8', 'https://127.1.2.3:14000', true],
  ['127.0.0.0/8', 'https://128.0.0.1', false],
  ['fd00::/8 [::1]:14000', 'https://[::1]:14000', true],
  ['', 'https://ca.example', false],
])('no_proxy "%s" exempts %s: %s', (list, url, exempt) => {
  expect(by(url, { HTTPS_PROXY: 'http://a:1', NO_PROXY: list }) === undefined).toBe(exempt)
})

test('a CA is asked through the tunnel of a proxy, which is told who asks, and a refusal names no password', async () => {
  const authority = await createAuthority('proxied')
  const { chain, key } = await authority.issue(['localhost'])
  const server = createServer({ cert: chain, key }, (_, res) => res.end('{"served":true}')).listen(0, '127.0.0.1')
  const asked: (string | undefined)[] = []
  let refuse = false
  const proxy = createHttp().on('connect', (req, socket) => {
    asked.push(req.url, req.headers['proxy-authorization'])
    if (refuse) return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    const out = connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      out.pipe(socket).pipe(out)
    })
    for (const each of [out, socket]) each.on('error', () => undefined)
  })
  proxy.listen(0, '127.0.0.1')
  await Promise.all([once(server, 'listening'), once(proxy, 'listening')])
  const url = `http://me:secret@127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const client = httpsClient({ trust: authority.root, proxy: url })
  const ask = () => client.ask({ method: 'GET', url: 'https://localhost:14000/dir', signal: AbortSignal.timeout(10_000) })
  expect((await ask()).body).toBe('{"served":true}')
  expect(asked).toEqual(['localhost:14000', `Basic ${Buffer.from('me:secret').toString('base64')}`])
  client.close()
  refuse = true
  await expect(ask()).rejects.toThrow(/opens no tunnel to localhost:14000: it answered 407/)
  await expect(ask()).rejects.toThrow(/^(?!.*secret)/)
  server.closeAllConnections()
  server.close()
  proxy.closeAllConnections()
  proxy.close()
})
