import { expect } from 'vitest'
import { createAuthority } from '../kit/authority.ts'
import { clientHello } from '../kit/clients/pieces.ts'
import { openTcp } from '../kit/clients/socket.ts'
import { backend, bytesBackend } from '../kit/engine/cases.ts'
import { defer, idOf, type World } from '../kit/engine/world.ts'
import { http1 } from '../kit/index.ts'
import { engines } from './engines.ts'
import { faultOn } from './fault.ts'

const codeOfSet = (world: World, id: string, host: string, address: string, passthrough: boolean) =>
  world.gateway.dispatch({ do: 'set-fqdn', id: idOf(id), fqdn: host, backends: [address], passthrough }).then(
    () => 'taken',
    ({ code }: { code: string }) => code,
  )

faultOn(
  10,
  'a host that one workload passes through is not ended here for another, nor the other way round',
  engines,
  async (open) => {
    const world = await open()
    const tenant = await createAuthority()
    const own = await backend('own', { tls: await tenant.issue(['own.wild.test']) })
    const [web, thief] = [await backend('web'), await backend('thief')]
    await world.set('1-1-own', 'own.wild.test', [own.address], true)
    await world.set('1-2-web', 'web.wild.test', [web.url])
    for (const host of ['own.wild.test', 'web.wild.test'])
      for (const through of [true, false])
        expect(await codeOfSet(world, '2-1-thief', host, through ? thief.address : thief.url, through)).toBe('DOMAIN_TAKEN')
    const client = await world.h1('own.wild.test', { ca: tenant.root })
    expect((await client.request('GET /', { Host: 'own.wild.test' })).text).toBe('own')
    expect((await world.get('web.wild.test')).text).toBe('web')
    expect(thief.requests).toEqual([])
  },
)

faultOn(
  10,
  'a passed-through connection gets its own backend, whatever it says inside about another host',
  engines,
  async (open) => {
    const world = await open()
    const hello = await clientHello('own.wild.test')
    const seen: string[] = []
    const raw = await bytesBackend(async (connection) => {
      await connection.take(hello.length)
      seen.push((await connection.some()).toString('latin1'))
      await connection.send('mine')
    })
    const other = await backend('other')
    await world.set('1-1-own', 'own.wild.test', [raw.address], true)
    await world.set('2-1-other', 'other.wild.test', [other.url])
    const client = http1(await openTcp({ port: world.where.https }))
    defer(client.close)
    await client.send(hello)
    await client.send('GET / HTTP/1.1\r\nHost: other.wild.test\r\n\r\n')
    expect((await client.take(4)).toString()).toBe('mine')
    expect(seen.join('')).toContain('Host: other.wild.test')
    expect(other.requests).toEqual([])
  },
)

faultOn(
  10,
  'another host on a connection, by HTTP/1.1 or coalesced by HTTP/2, is misdirected (421) and reaches nobody',
  engines,
  async (open) => {
    const world = await open()
    const [one, two] = [await backend('one'), await backend('two')]
    await world.set('1-1-a', 'one.wild.test', [one.url])
    await world.set('2-1-b', 'two.wild.test', [two.url])
    const [first, second] = [await world.h1('one.wild.test'), await world.h2('one.wild.test')]
    expect((await first.request('GET /', { Host: 'two.wild.test' })).status).toBe(421)
    expect((await second.request({ headers: { ':authority': 'two.wild.test' } })).status).toBe(421)
    expect(two.requests).toEqual([])
  },
  {
    traefik:
      'Traefik routes by Host alone, on purpose (traefik/traefik#7039), and takes any host on a connection whose TLS options are the same, which is every one of ours',
  },
)

faultOn(10, 'no request for a passed-through host is served on a connection that was made for another', engines, async (open) => {
  const world = await open()
  const tenant = await createAuthority()
  const own = await backend('own', { tls: await tenant.issue(['own.wild.test']) })
  await world.set('1-1-own', 'own.wild.test', [own.address], true)
  await world.set('2-1-b', 'two.wild.test', [(await backend('two')).url])
  const client = await world.h1('two.wild.test')
  expect([404, 421]).toContain((await client.request('GET /', { Host: 'own.wild.test' })).status)
  expect(own.requests).toEqual([])
})
