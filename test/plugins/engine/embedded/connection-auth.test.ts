import { expect, test } from 'vitest'
import { embedded } from '../../../../plugins/engine/embedded/index.ts'
import { h2cBackend } from '../../../kit/backends/h2c.ts'
import { readHead } from '../../../kit/backends/raw.ts'
import type { Http1 } from '../../../kit/clients/h1.ts'
import { backend, becomes, bytesBackend } from '../../../kit/engine/cases.ts'
import { openWorld, type World } from '../../../kit/engine/world.ts'
import { embeddedUnderTest } from './under-test.ts'

const open = openWorld(embeddedUnderTest)

/** A backend of NTLM: who has logged in on a connection is logged in for all that comes on it. */
const mail = (challenge = 'WWW-Authenticate: NTLM') => {
  let connections = 0
  return bytesBackend(async (connection) => {
    const number = ++connections
    let user: string | undefined
    for (;;) {
      const head = await readHead(connection)
      const length = Number(head.find((line) => /^content-length:/i.test(line))?.slice(15) ?? 0)
      await connection.take(length)
      const [, token] = head.map((line) => /^authorization: *(?:ntlm|nego\w*) (\S+)$/i.exec(line)).find(Boolean) ?? []
      const answer = (status: string, text: string, field = '') =>
        connection.send(`HTTP/1.1 ${status}\r\n${field}Content-Length: ${text.length}\r\n\r\n${text}`)
      if (token?.startsWith('TYPE3-')) user = token.slice(6)
      if (user !== undefined) await answer('200 OK', `${number}: mail of ${user}`)
      else await answer('401 Unauthorized', '', token ? 'WWW-Authenticate: NTLM TYPE2\r\n' : `${challenge}\r\n`)
    }
  })
}
const ask = async (client: Http1, authorization?: string, line = 'GET /', body?: string) =>
  client.request(line, { Host: 'a.test', ...(authorization !== undefined && { Authorization: authorization }) }, body)
const logIn = async (client: Http1, scheme = 'NTLM') => {
  expect((await ask(client)).status).toBe(401)
  expect((await ask(client, `${scheme} TYPE1`)).status).toBe(401)
  return ask(client, `${scheme} TYPE3-alice`)
}
/** What others get who have not logged in: on new connections, over both versions of HTTP. */
const others = async (world: World) => {
  const statuses: number[] = []
  for (let count = 0; count < 4; count++) {
    statuses.push((await world.get('a.test')).status)
    statuses.push((await (await world.h2('a.test')).request({ headers: {} })).status)
  }
  return new Set(statuses)
}

test.each(['NTLM', 'Negotiate', 'ntlm', 'nEGOTIATE', 'Nego2'])(
  'a login by %s holds for the connection of the client that made it, and for no other client',
  async (scheme) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await mail()).url])
    const alice = await world.h1('a.test')
    const first = await logIn(alice, scheme)
    expect([first.status, first.text]).toEqual([200, expect.stringContaining('mail of alice')])
    expect(await others(world)).toEqual(new Set([401]))
    // On the same connection to the backend, whatever others did meanwhile.
    expect((await ask(alice)).text).toBe(first.text)
    expect((await ask(alice, undefined, 'POST /', 'body')).text).toBe(first.text)
    expect(await others(world)).toEqual(new Set([401]))
  },
)

test('two clients that log in at once do not get into each other’s login', async () => {
  const world = await open()
  await world.set('1-1-a', 'a.test', [(await mail()).url])
  const clients = await Promise.all(Array.from({ length: 10 }, () => world.h1('a.test')))
  await Promise.all(
    clients.map(async (client, at) => {
      for (const token of ['TYPE1', `TYPE3-user${at}`]) await ask(client, `NTLM ${token}`)
      for (let count = 0; count < 5; count++) expect((await ask(client)).text).toMatch(new RegExp(`: mail of user${at}$`))
    }),
  )
})

test('a connection that carries a login is closed with that of its client', async () => {
  const world = await open()
  const web = await mail()
  await world.set('1-1-a', 'a.test', [web.url])
  const alice = await world.h1('a.test')
  await ask(alice, 'NTLM TYPE3-alice')
  expect(web.connections).toBe(1)
  alice.close()
  await becomes(() => web.connections, 0)
})

test('it is closed when it was idle for long, and when its backend serves the route no more', async () => {
  const world = await openWorld(({ http, https, drain }) =>
    embedded({ http: { port: http }, https: { port: https }, drain, backends: { idleSeconds: 0.2 } }),
  )()
  const [web, other] = [await mail(), await backend('other')]
  await world.set('1-1-a', 'a.test', [web.url])
  const alice = await world.h1('a.test')
  await ask(alice, 'NTLM TYPE3-alice')
  await becomes(() => web.connections, 0)
  expect((await ask(alice)).status).toBe(401)
  expect((await ask(alice, 'NTLM TYPE3-alice')).text).toContain('mail of alice')
  await world.set('1-1-a', 'a.test', [other.url])
  expect((await ask(alice)).text).toBe('other')
  await becomes(() => web.connections, 0)
})

test('with several backends the client stays with the one on which it logged in', async () => {
  const world = await open()
  const webs = [await mail(), await mail(), await mail()]
  await world.set(
    '1-1-a',
    'a.test',
    webs.map(({ url }) => url),
  )
  const alice = await world.h1('a.test')
  const { text } = await logIn(alice)
  for (let count = 0; count < 6; count++) expect((await ask(alice)).text).toBe(text)
})

test.each([
  'WWW-Authenticate: Basic realm="a", NTLM',
  'WWW-Authenticate: Basic realm="a"\r\nwww-authenticate: \tNegotiate',
  'WWW-Authenticate: Nego2 abc',
  'Persistent-Auth: true',
])('from the challenge on, the connection is that client’s: %j', async (challenge) => {
  const world = await open()
  const web = await mail(challenge)
  await world.set('1-1-a', 'a.test', [web.url])
  const clients = [await world.h1('a.test'), await world.h1('a.test')]
  for (const client of clients) expect((await ask(client)).status).toBe(401)
  expect(web.accepted).toBe(2)
})

test('a challenge of another kind binds nothing', async () => {
  const world = await open()
  const web = await mail('WWW-Authenticate: Basic realm="a"')
  await world.set('1-1-a', 'a.test', [web.url])
  for (let count = 0; count < 3; count++) expect((await world.get('a.test')).status).toBe(401)
  expect(web.accepted).toBe(1)
})

test('a login that comes over HTTP/2 is good for its own request only', async () => {
  const world = await open()
  const web = await mail()
  await world.set('1-1-a', 'a.test', [web.url])
  const client = await world.h2('a.test')
  const { text } = await client.request({ headers: { authorization: 'NTLM TYPE3-alice' } })
  expect(text).toContain('mail of alice')
  expect((await client.request({ headers: {} })).status).toBe(401)
  expect(await others(world)).toEqual(new Set([401]))
  await becomes(() => web.connections, 0)
})

test('to a backend of HTTP/2 it goes on a connection of its own', async () => {
  const world = await openWorld(({ http, https, drain }) =>
    embedded({ http: { port: http }, https: { port: https }, drain, backends: { h2c: 'always' } }),
  )()
  const users = new WeakMap<object, string>()
  const web = await h2cBackend((stream, { authorization }) => {
    const { session } = stream
    if (session && authorization) users.set(session, authorization)
    stream.respond({ ':status': 200 })
    stream.end((session && users.get(session)) ?? 'nobody')
  })
  await world.set('1-1-a', 'a.test', [web.url])
  const client = await world.h2('a.test')
  const ask = async (headers: Record<string, string>) => (await client.request({ headers })).text
  expect([await ask({}), await ask({ authorization: 'Negotiate alice' }), await ask({})]).toEqual([
    'nobody',
    'Negotiate alice',
    'nobody',
  ])
  await becomes(() => web.connections, 1)
})
