import { expect, test } from 'vitest'
import { embedded } from '../../../../plugins/engine/embedded/index.ts'
import { backend } from '../../../kit/engine/cases.ts'
import { openWorld } from '../../../kit/engine/world.ts'

test('the http port serves in the clear where it is asked to, and says so to the backend', async () => {
  const world = await openWorld(({ http, https, drain }) =>
    embedded({ http: { port: http, redirect: false }, https: { port: https }, drain }),
  )()
  const web = await backend('hello')
  await world.set('1-1-a', 'a.test', [web.url])
  const client = await world.plain()
  expect((await client.request('GET /x', { Host: 'a.test' })).text).toBe('hello')
  expect((await client.request('GET /x', { Host: 'else.test' })).status).toBe(404)
  expect(web.requests.map(({ header }) => [header('x-forwarded-proto'), header('x-forwarded-port')])).toEqual([
    ['http', String(world.where.http)],
  ])
  expect((await world.get('a.test')).text).toBe('hello')
})

test('redirects name the port that clients know', async () => {
  const world = await openWorld(({ http, https, drain }) =>
    embedded({ http: { port: http }, https: { port: https }, drain, publicHttpsPort: 443 }),
  )()
  await world.set('1-1-a', 'a.test', [(await backend()).url])
  const client = await world.plain()
  const answer = await client.request('POST /x?y', { Host: `A.test:${world.where.http}` })
  expect([answer.status, answer.header('location')]).toEqual([308, 'https://a.test/x?y'])
  const challenge = await client.request('GET /.well-known/acme-challenge/unknown', { Host: 'a.test' })
  expect(challenge.status).toBe(404)
})

test('the port that a backend is told is the one that clients know, whatever a client writes', async () => {
  const world = await openWorld(({ http, https, drain }) =>
    embedded({ http: { port: http }, https: { port: https }, drain, publicHttpsPort: 443 }),
  )()
  const web = await backend('hello')
  await world.set('1-1-a', 'a.test', [web.url])
  const two = await world.h2('a.test')
  for (const host of ['a.test', 'a.test:1337', 'a.test:443', `a.test:${world.where.https}`]) {
    expect((await (await world.h1('a.test')).request('GET /', { Host: host, 'X-Forwarded-Port': '666' })).text).toBe('hello')
    expect((await two.request({ headers: { ':authority': host } })).text).toBe('hello')
  }
  const told = web.requests.map(({ header }) => `${header('x-forwarded-port')} ${header('x-forwarded-host')}`)
  expect(told).toEqual(['', '', ':443', ''].flatMap((port) => [`443 a.test${port}`, `443 a.test${port}`]))
})

test('behind a PROXY header the port is the one that the client reached', async () => {
  const world = await openWorld(({ http, https, drain }) =>
    embedded({ http: { port: http }, https: { port: https }, drain, proxyProtocol: { inbound: true } }),
  )()
  const web = await backend('hello')
  await world.set('1-1-a', 'a.test', [web.url])
  const header = Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.8 40000 443\r\n')
  const client = await world.h1('a.test', {}, { before: header })
  expect((await client.request('GET /', { Host: 'a.test:8443' })).text).toBe('hello')
  expect(web.requests[0]?.header('x-forwarded-port')).toBe('443')
})
