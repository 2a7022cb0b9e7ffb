import { once } from 'node:events'
import { expect } from 'vitest'
import { createAuthority } from '../authority.ts'
import { type HttpBackend, httpBackend } from '../backends/http.ts'
import { backend, becomes, bytesBackend, type Cases } from './cases.ts'
import { defer, type World } from './world.ts'

const text = async (world: World, host = 'a.test') => (await world.get(host)).text
const gone = async (): Promise<HttpBackend> => {
  const made = await backend()
  await made.close()
  return made
}

/** Several backends, dead backends, backends that speak TLS. */
export const backends: Cases = {
  'shares the requests evenly among many backends': async (open) => {
    const world = await open()
    const webs = await Promise.all(['one', 'two', 'three'].map((name) => backend(name)))
    await world.set(
      '1-1-a',
      'a.test',
      webs.map(({ url }) => url),
    )
    const clients = await Promise.all(Array.from({ length: 6 }, () => world.h1('a.test')))
    await Promise.all(
      clients.map(async (client) => {
        for (let count = 0; count < 50; count++) await client.request('GET /', { Host: 'a.test' })
      }),
    )
    const shares = webs.map(({ requests }) => requests.length)
    expect(shares.reduce((sum, share) => sum + share)).toBe(300)
    for (const share of shares) expect(share).toBeGreaterThan(60)
  },

  'shares passthrough connections evenly among many backends': async (open) => {
    const world = await open()
    const tenant = await createAuthority()
    const tls = await tenant.issue(['own.test'])
    const webs = await Promise.all(['one', 'two', 'three'].map((name) => backend(name, { tls })))
    await world.set(
      '1-1-own',
      'own.test',
      webs.map(({ address }) => address),
      true,
    )
    for (let count = 0; count < 45; count++) {
      const client = await world.h1('own.test', { ca: tenant.root })
      await client.request('GET /', { Host: 'own.test' })
      client.close()
    }
    for (const { requests } of webs) expect(requests.length).toBeGreaterThan(8)
  },

  'fails no request while one of the backends is dead': async (open) => {
    const world = await open()
    const [alive, dead] = [await backend('alive'), await gone()]
    await world.set('1-1-a', 'a.test', [dead.url, alive.url])
    const client = await world.h1('a.test')
    for (let count = 0; count < 20; count++) {
      expect((await client.request('GET /', { Host: 'a.test' })).text).toBe('alive')
      expect((await client.request('POST /', { Host: 'a.test' }, 'body')).text).toBe('alive')
    }
  },

  'fails no passthrough connection while one of the backends is dead': async (open) => {
    const world = await open()
    const tenant = await createAuthority()
    const [alive, dead] = [await backend('alive', { tls: await tenant.issue(['own.test']) }), await gone()]
    await world.set('1-1-own', 'own.test', [dead.address, alive.address], true)
    for (let count = 0; count < 10; count++) {
      const client = await world.h1('own.test', { ca: tenant.root })
      expect((await client.request('GET /', { Host: 'own.test' })).text).toBe('alive')
    }
  },

  'fails no request when a backend dies between two requests': async (open) => {
    const world = await open()
    const [one, two] = [await backend('one'), await backend('two')]
    await world.set('1-1-a', 'a.test', [one.url, two.url])
    const client = await world.h1('a.test')
    for (let count = 0; count < 10; count++) await client.request('GET /', { Host: 'a.test' })
    // What is under way when it dies is another matter: not every engine may try that again.
    await two.leave()
    for (let count = 0; count < 20; count++) {
      expect((await client.request('GET /', { Host: 'a.test' })).text).toBe('one')
    }
  },

  'uses a backend again that has come back': async (open) => {
    const world = await open({ retryAfter: 1 })
    const [alive, dead] = [await backend('alive'), await gone()]
    await world.set('1-1-a', 'a.test', [alive.url, dead.url])
    for (let count = 0; count < 6; count++) expect(await text(world)).toBe('alive')
    const back = await httpBackend('back', { port: dead.port })
    defer(back.close)
    await becomes(() => text(world), 'back')
  },

  'leaves a backend out that breaks off every request': async (open) => {
    const world = await open({ retryAfter: 30 })
    const alive = await backend('alive')
    const broken = await bytesBackend(async ({ some, close }) => {
      await some()
      close()
    })
    await world.set('1-1-a', 'a.test', [alive.url, broken.url])
    for (let count = 0; count < 60; count++) await world.get('a.test')
    const before = broken.accepted
    expect(before).toBeLessThan(30)
    for (let count = 0; count < 20; count++) expect(await text(world)).toBe('alive')
    expect(broken.accepted).toBe(before)
  },

  'answers 502 or 503 while all backends are dead, and serves again when one is back': async (open) => {
    const world = await open({ retryAfter: 1 })
    const [one, two] = [await gone(), await gone()]
    await world.set('1-1-a', 'a.test', [one.url, two.url])
    expect([502, 503]).toContain((await world.get('a.test')).status)
    const back = await httpBackend('back', { port: two.port })
    defer(back.close)
    await becomes(() => text(world), 'back')
  },

  'uses a kept connection no more that the backend has closed': async (open) => {
    const world = await open()
    const web = await backend('fine')
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    for (let round = 0; round < 10; round++) {
      expect((await client.request('GET /', { Host: 'a.test' })).text).toBe('fine')
      web.cut()
    }
  },

  'asks the health of backends where that is configured': async (open) => {
    const world = await open({ health: { path: '/healthy', seconds: 1 }, retryAfter: 1 })
    let healthy = true
    const sick = await backend((request, response) => {
      response.writeHead(request.url === '/healthy' && !healthy ? 503 : 200).end('sick')
    })
    const well = await backend('well')
    await world.set('1-1-a', 'a.test', [sick.url, well.url])
    const answers = async () => {
      const client = await world.h1('a.test')
      const all = new Set<string>()
      for (let count = 0; count < 12; count++) all.add((await client.request('GET /', { Host: 'a.test' })).text)
      return [...all].sort()
    }
    await becomes(answers, ['sick', 'well'])
    healthy = false
    await becomes(answers, ['well'])
    healthy = true
    await becomes(answers, ['sick', 'well'])
  },

  'speaks TLS to an https backend, whatever its certificate': async (open) => {
    const world = await open()
    const stranger = await createAuthority()
    const web = await backend('over TLS', { tls: await stranger.issue(['else.test']) })
    await world.set('1-1-a', 'a.test', [web.url])
    expect(await text(world)).toBe('over TLS')
    expect(web.requests[0]?.header('host')).toBe('a.test')
  },

  'verifies the certificate of an https backend where an authority is configured': async (open) => {
    const [trusted, stranger] = [await createAuthority(), await createAuthority()]
    const world = await open({ backendCa: trusted.root })
    const [good, bad] = [
      await backend('good', { tls: await trusted.issue(['127.0.0.1', 'a.test']) }),
      await backend('bad', { tls: await stranger.issue(['127.0.0.1', 'b.test']) }),
    ]
    await world.set('1-1-a', 'a.test', [good.url])
    await world.set('1-1-b', 'b.test', [bad.url])
    expect(await text(world)).toBe('good')
    expect((await world.get('b.test')).status).toBe(502)
    expect(bad.requests).toEqual([])
  },

  'answers a client that leaves in the middle by leaving the backend': async (open) => {
    const world = await open()
    const left = Promise.withResolvers<void>()
    const came = Promise.withResolvers<void>()
    const web = await backend(async (_, response) => {
      came.resolve()
      await once(response, 'close')
      left.resolve()
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    await client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')
    await came.promise
    client.close()
    await left.promise
  },
}
