import { expect, onTestFinished, test, vi } from 'vitest'
import type { WorkloadId } from '../../../../core/index.ts'
import { echoUpgrade, type HttpOptions } from '../../../kit/backends/http.ts'
import { createAuthority, freePort, type Http1, http1, httpBackend, openTcp } from '../../../kit/index.ts'
import { relayRoute, relayStand, type Stand } from './relay-stand.ts'

const id = '1-1-chat' as WorkloadId
const token = 'only-traefik-has-it'

const backend = async (options: HttpOptions, answer = 'no') => {
  const made = await httpBackend(answer, options)
  onTestFinished(made.close)
  return made
}
/** A request as Traefik sends it. */
const upgrade = async ({ port }: Pick<Stand, 'port'>, host = 'chat.test', shown = token, more = {}): Promise<Http1> => {
  const client = http1(await openTcp({ port }))
  onTestFinished(() => client.close())
  const fields = { Connection: 'Upgrade', Upgrade: 'chat', 'X-Gateway-Relay': shown, 'X-Forwarded-For': '192.0.2.7', ...more }
  await client.send(
    `GET /room HTTP/1.1\r\nHost: ${host}\r\n${Object.entries(fields)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`,
  )
  return client
}
const routeTo = (addresses: readonly string[], tls?: true) => {
  const { backends, ...route } = relayRoute(id, 'chat.test', addresses)
  return { ...route, http: true as const, backends: backends.map((one) => ({ ...one, ...(tls && { tls }) })) }
}
const becomes = (stand: Stand, request: number, response: number) =>
  vi.waitFor(async () => expect(await stand.bytes(id)).toEqual({ request, response }), { timeout: 15_000, interval: 50 })

test('passes an upgraded connection on, counts what follows the heads, and keeps the proof of Traefik to itself', async () => {
  const stand = await relayStand([], { token })
  const web = await backend({ upgrade: echoUpgrade })
  await stand.client.restore([routeTo([web.address])])
  const client = await upgrade(stand)
  expect((await client.answer()).status).toBe(101)
  await client.send('x'.repeat(70_000))
  await client.take(70_000)
  await becomes(stand, 70_000, 70_000)
  const [request] = web.requests
  expect([request?.header('x-forwarded-for'), request?.header('host')]).toEqual(['192.0.2.7', 'chat.test'])
  expect(request?.header('x-gateway-relay')).toBeUndefined()
})

test('takes nothing from who is not Traefik, for a host without a route, or for one whose TLS is passed through', async () => {
  const stand = await relayStand([], { token })
  const web = await backend({ upgrade: echoUpgrade })
  await stand.client.restore([routeTo([web.address]), relayRoute('1-1-own', 'own.test', [web.address])])
  for (const [host, shown] of [
    ['chat.test', 'guessed'],
    ['chat.test', ''],
    ['other.test', token],
    ['own.test', token],
  ] as const)
    expect((await (await upgrade(stand, host, shown)).answer()).status).toBe(404)
  expect(web.requests).toEqual([])
})

test('12: refuses an upgrade with a body', async () => {
  const stand = await relayStand([], { token })
  const web = await backend({ upgrade: echoUpgrade })
  await stand.client.restore([routeTo([web.address])])
  for (const more of [{ 'Content-Length': '5' }, { 'Transfer-Encoding': 'chunked' }])
    expect((await (await upgrade(stand, 'chat.test', token, more)).answer()).status).toBe(400)
  expect(web.requests).toEqual([])
})

test('passes on and counts the body of a backend that will not upgrade', async () => {
  const stand = await relayStand([], { token })
  await stand.client.restore([routeTo([(await backend({}, 'not here')).address])])
  const answer = await (await upgrade(stand)).answer()
  expect([answer.status, answer.text]).toEqual([200, 'not here'])
  await becomes(stand, 0, 'not here'.length)
})

test('tries the next of several backends, and answers 502 where none is there', async () => {
  const stand = await relayStand([], { token })
  const dead = `127.0.0.1:${await freePort()}`
  const web = await backend({ upgrade: echoUpgrade })
  await stand.client.restore([routeTo([dead, web.address])])
  for (let n = 0; n < 4; n++) expect((await (await upgrade(stand)).answer()).status).toBe(101)
  await stand.client.apply([routeTo([dead])], [])
  expect((await (await upgrade(stand)).answer()).status).toBe(502)
})

test('speaks TLS to an https backend, and verifies it where an authority is configured', async () => {
  const [theirs, other] = [await createAuthority(), await createAuthority()]
  const web = await backend({ upgrade: echoUpgrade, tls: await theirs.issue(['127.0.0.1']) })
  for (const [ca, status] of [
    [undefined, 101],
    [other.root, 502],
  ] as const) {
    const stand = await relayStand([], { token, ...(ca && { ca }) })
    await stand.client.restore([routeTo([web.address], true)])
    expect((await (await upgrade(stand)).answer()).status).toBe(status)
  }
})

test('cuts at the deadline of a removal what still talks, and says the last figure', async () => {
  const stand = await relayStand([], { token })
  await stand.client.restore([routeTo([(await backend({ upgrade: echoUpgrade })).address])])
  const client = await upgrade(stand)
  await client.answer()
  await client.send('12345')
  await client.take(5)
  const gone = new Promise((done) => stand.client.remove(id, 300, false, done))
  await client.closed
  expect(await gone).toEqual({ request: 5, response: 5 })
})
