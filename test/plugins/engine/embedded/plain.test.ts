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
  expect(web.requests.map(({ header }) => [header('x-forwarded-proto'), header('x-forwarded-port')])).toEqual([['http', '80']])
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
