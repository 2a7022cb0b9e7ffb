import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createGateway, type Logged, type Plugin, type RunningGateway, type WorkloadId } from '../../../../core/index.ts'
import { type TraefikOptions, traefik } from '../../../../plugins/engine/traefik/index.ts'
import { processes } from '../../../../plugins/service/processes/index.ts'
import { anyHost, emptyMemory, issued, memory, passthrough } from '../../../kit/engine/plugins.ts'
import { createAuthority, freePort, http1, httpBackend, openTls, tempRoot } from '../../../kit/index.ts'
import { endKept } from '../../../kit/kept.ts'
import { traefikPath } from '../../../kit/programs.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const stand = async (options: TraefikOptions = {}) => {
  const [http, https, api, authority] = [await freePort(), await freePort(), await freePort(), await createAuthority()]
  const relay = await freePort()
  const root = tempRoot()
  closing.push(root.remove, () => endKept(root.path))
  const held = emptyMemory()
  const web = await httpBackend('hello')
  closing.push(web.close)
  const engine = (more: TraefikOptions = {}) =>
    traefik({
      command: traefikPath(),
      http: { port: http },
      https: { port: https },
      api: { port: api },
      relay: { port: relay },
      routes: 'files',
      issue: 'gateway',
      drain: 1,
      ...options,
      ...more,
    })
  const start = async (more: TraefikOptions = {}): Promise<RunningGateway> => {
    const plugins: Plugin[] = [anyHost(), passthrough(), issued(authority), memory(held), processes(), engine(more)]
    const gateway = await createGateway({ plugins }, { root: root.path })
    closing.push(() => gateway.close())
    return gateway
  }
  const get = async (host: string) => {
    const client = http1(await openTls({ port: https }, { name: host, ca: authority.root }))
    const { status, text } = await client.request('GET /', { Host: host })
    client.close()
    return status === 200 ? text : status
  }
  return {
    start,
    get,
    web,
    held,
    proxy: join(root.path, 'proxy'),
    aside: join(root.path, 'proxy-aside'),
    root: root.path,
    http,
    https,
  }
}
const set = (gateway: RunningGateway, id: string, fqdn: string, backend: string, through = false) =>
  gateway.dispatch({ do: 'set-fqdn', id: id as WorkloadId, fqdn, backends: [backend], passthrough: through }, { wait: 'live' })
/** The first event that `wanted` takes, from now on or after `since`. */
const next = async (gateway: RunningGateway, wanted: (event: Logged) => boolean, since?: number): Promise<Logged> => {
  for await (const event of gateway.events(since, AbortSignal.timeout(30_000))) if (wanted(event)) return event
  throw new Error('the event did not come')
}
const stateOf = (gateway: RunningGateway) => gateway.status().plugins.find(({ name }) => name === 'engine/traefik')
const pidOf = (gateway: RunningGateway) => stateOf(gateway)?.facts?.pid

describe('the folder of routes', () => {
  it('holds one file a workload, in the shape that tools on nodes read', async () => {
    const { start, proxy, web } = await stand()
    const gateway = await start()
    await set(gateway, '40-1976-shop', 'shop.wild.test', web.url)
    await set(gateway, '37-2039-test', 'own.test', web.address, true)
    expect(await readFile(join(proxy, '40-1976-shop.yaml'), 'utf8')).toBe(`http:
  routers:
    40-1976-shop-route:
      rule: Host(\`shop.wild.test\`)
      service: 40-1976-shop
      tls: {}
  services:
    40-1976-shop:
      loadBalancer:
        servers:
          - url: ${web.url}
`)
    expect(await readFile(join(proxy, '37-2039-test.yaml'), 'utf8')).toContain('passthrough: "true"')
    await gateway.dispatch({ do: 'delete', id: '40-1976-shop' as WorkloadId })
    expect(await readdir(proxy)).not.toContain('40-1976-shop.yaml')
  })

  it('loses a foreign file to the folder beside it, and takes changes on', async () => {
    const { start, get, proxy, aside, web } = await stand()
    const gateway = await start()
    const alarm = next(gateway, (event) => event.type === 'alarm')
    await writeFile(join(proxy, 'broken.yaml'), 'http: [not: a, map\n')
    expect(await alarm).toMatchObject({ message: 'broken.yaml is no route of this gateway and was moved aside' })
    expect(await readdir(aside)).toEqual([expect.stringMatching(/-broken\.yaml$/)])
    await set(gateway, '1-1-a', 'a.wild.test', web.url)
    expect(await get('a.wild.test')).toBe('hello')
  })

  it.each([
    ['lost', (path: string) => rm(path)],
    ['edited', (path: string) => writeFile(path, 'http: {}\n')],
  ])('gets a route back that was %s', async (what, change) => {
    const { start, get, proxy, web } = await stand()
    const gateway = await start()
    await set(gateway, '1-1-a', 'a.wild.test', web.url)
    const path = join(proxy, '1-1-a.yaml')
    const before = await readFile(path, 'utf8')
    const alarm = next(gateway, (event) => event.type === 'alarm')
    await change(path)
    expect(await alarm).toMatchObject({ message: `1-1-a.yaml was ${what} and put back` })
    await vi.waitFor(async () => expect(await readFile(path, 'utf8')).toBe(before))
    expect(await get('a.wild.test')).toBe('hello')
  })

  it('is there again with every route where it was deleted as a whole, and takes the next', async () => {
    const { start, get, proxy, web } = await stand()
    const gateway = await start()
    await set(gateway, '1-1-a', 'a.wild.test', web.url)
    const alarm = next(gateway, (event) => event.type === 'alarm')
    await rm(proxy, { recursive: true, maxRetries: 20 })
    expect(await alarm).toMatchObject({ message: expect.stringMatching(/ was lost and put back$/) })
    await set(gateway, '1-1-b', 'b.wild.test', web.url)
    expect(await get('b.wild.test')).toBe('hello')
    await vi.waitFor(async () => expect(await get('a.wild.test')).toBe('hello'), { timeout: 30_000 })
    expect(await readdir(proxy)).toEqual(expect.arrayContaining(['1-1-a.yaml', '1-1-b.yaml']))
  })

  it('is cleared of what is not stored before Traefik starts', async () => {
    const { start, get, proxy, aside, web } = await stand()
    await mkdir(proxy, { recursive: true })
    await writeFile(join(proxy, '9-9-old.yaml'), '{{ broken')
    const gateway = await start()
    await set(gateway, '1-1-a', 'a.wild.test', web.url)
    expect(await get('a.wild.test')).toBe('hello')
    expect(await readdir(aside)).toEqual([expect.stringMatching(/-9-9-old\.yaml$/)])
  })
})

describe('a stored route that cannot be', () => {
  it('is told, and the others are served', async () => {
    const { start, get, web, held, proxy } = await stand()
    const id = '1-1-bad' as WorkloadId
    const tls = { mode: 'terminate', resolver: 'issued', names: ['*.wild.test'] } as const
    const host = '{{ env "HOME" }}.wild.test'
    held.routes.set(id, { id, host, backends: [web.url], passthrough: false, tenant: id, tls })
    const gateway = await start()
    expect(await next(gateway, (event) => event.type === 'alarm', 0)).toMatchObject({
      message: expect.stringContaining('workload 1-1-bad is stored but not served: host'),
    })
    await set(gateway, '1-1-a', 'a.wild.test', web.url)
    expect(await get('a.wild.test')).toBe('hello')
    expect(await readdir(proxy)).not.toContain('1-1-bad.yaml')
  })
})

describe('Traefik', () => {
  it('goes on without the gateway where that is asked for, and is taken over by the next', async () => {
    const { start, get, web } = await stand({ keepServing: true })
    const one = await start()
    await set(one, '1-1-a', 'a.wild.test', web.url)
    const pid = pidOf(one)
    expect(pid).toBeTypeOf('number')
    await one.close()
    expect(await get('a.wild.test')).toBe('hello')
    const two = await start()
    expect(pidOf(two)).toBe(pid)
    await set(two, '1-1-b', 'b.wild.test', web.url)
    expect(await get('b.wild.test')).toBe('hello')
    await two.close()
    const three = await start({ keepServing: false })
    await three.close()
    await expect(get('a.wild.test')).rejects.toThrow()
  })

  it('starts anew with a changed configuration, and serves all routes then', async () => {
    const { start, get, web } = await stand({ keepServing: true })
    const one = await start()
    await set(one, '1-1-a', 'a.wild.test', web.url)
    const pid = pidOf(one)
    await one.close()
    const two = await start({ keepServing: false, limits: { idleSeconds: 20 } })
    expect(pidOf(two)).not.toBe(pid)
    expect(await get('a.wild.test')).toBe('hello')
  })

  it('is there again with all routes after it was killed', async () => {
    const { start, get, web } = await stand()
    const gateway = await start()
    await set(gateway, '1-1-a', 'a.wild.test', web.url)
    const back = next(gateway, (event) => event.type === 'engine' && event.state === 'restarted')
    process.kill(Number(pidOf(gateway)), 'SIGKILL')
    await back
    expect(await get('a.wild.test')).toBe('hello')
    await set(gateway, '1-1-b', 'b.wild.test', web.url)
    expect(await get('b.wild.test')).toBe('hello')
  })

  it('takes a Delete and a Set while it is away', async () => {
    const { start, get, web } = await stand()
    const gateway = await start()
    await set(gateway, '1-1-a', 'a.wild.test', web.url)
    const back = next(gateway, (event) => event.type === 'engine' && event.state === 'restarted')
    process.kill(Number(pidOf(gateway)), 'SIGKILL')
    await next(gateway, (event) => event.type === 'engine' && event.state === 'down').catch(() => undefined)
    await gateway.dispatch({ do: 'delete', id: '1-1-a' as WorkloadId })
    await set(gateway, '1-1-b', 'b.wild.test', web.url)
    await back
    expect(await get('b.wild.test')).toBe('hello')
    expect(await get('a.wild.test')).toBe(404)
  })

  it('is not started where it is missing, too old or something else', async () => {
    const { start, root } = await stand()
    const script = async (name: string, says: string) => {
      const path = join(root, name)
      await writeFile(path, `#!/bin/sh\n${says}\n`)
      await chmod(path, 0o755)
      return path
    }
    const start2 = (command: string) =>
      start({ command }).then(
        () => 'started',
        (error: Error) => error.message,
      )
    expect(await start2(join(root, 'none'))).toContain('there is no')
    expect(await start2(await script('old', 'echo "Version:      2.9.9"'))).toContain('Traefik 2.9.9 is too old')
    expect(await start2(await script('other', 'echo hello'))).toContain('names no version')
    expect(await start2(await script('fails', 'exit 3'))).toContain('failed')
  })
})
