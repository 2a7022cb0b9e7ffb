import { readdir, readFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type Bytes,
  createGateway,
  type Plugin,
  type RunningGateway,
  type Traffic,
  type WorkloadId,
} from '../../../../core/index.ts'
import { type TraefikOptions, traefik } from '../../../../plugins/engine/traefik/index.ts'
import { processes } from '../../../../plugins/service/processes/index.ts'
import { anyHost, emptyMemory, issued, memory, meter, passthrough } from '../../../kit/engine/plugins.ts'
import { createAuthority, freePort, httpBackend, tempRoot } from '../../../kit/index.ts'
import { endKept, keptChildren } from '../../../kit/kept.ts'
import { traefikPath } from '../../../kit/programs.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const stand = async (options: TraefikOptions = {}) => {
  const [http, https, api, port, authority] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await createAuthority(),
  ]
  const relay = await freePort()
  const root = tempRoot()
  closing.push(root.remove)
  const held = emptyMemory()
  const metered: { reader?: Traffic | undefined } = {}
  const web = await httpBackend('hello')
  closing.push(web.close)
  const start = async (more: TraefikOptions = {}): Promise<RunningGateway> => {
    const { overHttp, ...rest } = { ...options, ...more }
    const engine = traefik({
      command: traefikPath(),
      http: { port: http },
      https: { port: https },
      api: { port: api },
      relay: { port: relay },
      issue: 'gateway',
      drain: 1,
      overHttp: { port, ...overHttp },
      ...rest,
    })
    const plugins: Plugin[] = [anyHost(), passthrough(), issued(authority), memory(held), meter(metered), processes(), engine]
    const gateway = await createGateway({ plugins }, { root: root.path })
    closing.push(() => gateway.close())
    return gateway
  }
  const files = async () => (await readdir(join(root.path, 'proxy'))).filter((name) => !name.startsWith('gateway.')).toSorted()
  const read = async () => (await metered.reader?.read(AbortSignal.timeout(10_000)))?.bytes ?? new Map<WorkloadId, Bytes>()
  return { start, authority, read, web, files, get: getFrom(https), root: root.path, https }
}
/** The status of one request over a connection of its own, or of `agent`; 0 where there is no answer. */
const getFrom =
  (port: number) =>
  (host: string, agent: Agent | false = false) =>
    new Promise<number>((done) => {
      const asked = request(
        { host: '127.0.0.1', port, headers: { host }, servername: host, agent, rejectUnauthorized: false },
        (answer) => {
          answer.resume().once('end', () => done(answer.statusCode ?? 0))
        },
      )
      asked.on('error', () => done(0)).end()
    })
const set = (gateway: RunningGateway, name: string, backend: string, through = false) =>
  gateway.dispatch(
    { do: 'set-fqdn', id: idOf(name), fqdn: hostOf(name), backends: [backend], passthrough: through },
    { wait: 'live' },
  )
const drop = (gateway: RunningGateway, name: string) => gateway.dispatch({ do: 'delete', id: idOf(name) })
const idOf = (name: string) => `40-1-${name}` as WorkloadId
const hostOf = (name: string) => `${name}.wild.test`
const stateOf = (gateway: RunningGateway) => gateway.status().plugins.find(({ name }) => name === 'engine/traefik')
const waysOf = (gateway: RunningGateway) => stateOf(gateway)?.facts?.routes
const some = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `w${from + n}`)
const reached = (gateway: RunningGateway, ways: string) =>
  vi.waitFor(() => expect(waysOf(gateway)).toBe(ways), { timeout: 60_000, interval: 50 })
/** They go behind the word that routes come by another way. */
const noFiles = (files: () => Promise<readonly string[]>) => expect.poll(files, { timeout: 60_000, interval: 50 }).toEqual([])

/** One route, served on by a Traefik whose gateway is gone. */
const leftServing = async () => {
  const { start, web, get, root } = await stand({ routes: 'http', keepServing: true })
  closing.push(() => endKept(root))
  const first = await start()
  await set(first, 'one', web.url)
  const { pid } = stateOf(first)?.facts ?? {}
  await first.close()
  return { start, web, get, root, pid }
}

describe('routes over HTTP', () => {
  it('are set, changed and deleted without a file, their certificates too', async () => {
    const { start, web, files, get } = await stand({ routes: 'http' })
    const gateway = await start()
    await set(gateway, 'shop', web.url)
    expect(await get(hostOf('shop'))).toBe(200)
    expect(await files()).toEqual([])
    const other = await httpBackend('other')
    closing.push(other.close)
    await set(gateway, 'shop', other.url)
    expect(await get(hostOf('shop'))).toBe(200)
    expect(other.requests).toHaveLength(1)
    await drop(gateway, 'shop')
    expect(await get(hostOf('shop'))).toBe(404)
    expect(stateOf(gateway)).toMatchObject({ state: 'ok', facts: { routes: 'http' } })
  })

  it('stay while the gateway is away, and go on being changed by the next one', async () => {
    const { start, web, get, pid } = await leftServing()
    expect(await get(hostOf('one'))).toBe(200)
    const second = await start()
    await vi.waitFor(() => expect(stateOf(second)?.facts?.pid).toBe(pid), { timeout: 30_000 })
    await set(second, 'two', web.url)
    expect([await get(hostOf('one')), await get(hostOf('two'))]).toEqual([200, 200])
  })

  it('come back whole after Traefik was killed, and after the process that serves them was', async () => {
    const { start, web, get, root } = await stand({ routes: 'http' })
    const gateway = await start()
    await set(gateway, 'one', web.url)
    process.kill(Number(stateOf(gateway)?.facts?.pid), 'SIGKILL')
    await vi.waitFor(async () => expect(await get(hostOf('one'))).toBe(200), { timeout: 30_000 })
    process.kill(keptChildren(root).get('traefik-endpoint') ?? 0, 'SIGKILL')
    await set(gateway, 'two', web.url)
    expect([await get(hostOf('one')), await get(hostOf('two'))]).toEqual([200, 200])
  })
})

describe('a Traefik that gets its routes over HTTP', () => {
  it('ends in order, where it is replaced and with the gateway', async () => {
    const { start, get, root, pid } = await leftServing()
    const second = await start({ logLevel: 'ERROR', keepServing: false })
    await vi.waitFor(async () => expect(await get(hostOf('one'))).toBe(200), { timeout: 30_000 })
    expect(stateOf(second)?.facts?.pid).not.toBe(pid)
    await second.close()
    expect(await readFile(join(root, 'run/traefik.log'), 'utf8')).not.toContain('Timeout while stopping')
  })
})

describe('routes that move between files and HTTP', () => {
  it('fail no request on the way, up and down, and are in one of the two places in the end', async () => {
    const { start, web, files, get, authority } = await stand({ routes: 'auto', overHttp: { above: 20 } })
    const gateway = await start()
    const own = await httpBackend('own', { tls: await authority.issue([hostOf('own')]) })
    closing.push(own.close)
    await set(gateway, 'own', own.address, true)
    const names = some(0, 19)
    await Promise.all(names.map((name) => set(gateway, name, web.url)))
    expect(waysOf(gateway)).toBe('file')
    expect((await files()).filter((name) => name.startsWith('40-'))).toHaveLength(20)

    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    closing.push(() => agent.destroy())
    const answers = new Map<number, number>()
    let over = false
    const ask = async (kept: Agent | false, first: number) => {
      for (let n = first; !over; n++) {
        const status = await get(hostOf(kept === false && n % 2 ? 'own' : `w${n % 5}`), kept)
        answers.set(status, (answers.get(status) ?? 0) + 1)
      }
    }
    const load = [ask(agent, 0), ask(agent, 1), ask(false, 2)]

    await set(gateway, 'more', web.url)
    await reached(gateway, 'http')
    await noFiles(files)
    await Promise.all(some(30, 40).map((name) => set(gateway, name, web.url)))
    for (const name of [...some(30, 40), ...names.slice(8), 'more']) await drop(gateway, name)
    await reached(gateway, 'file')
    expect((await files()).filter((name) => name.startsWith('40-'))).toEqual(
      ['own', ...names.slice(0, 8)].map((name) => `${idOf(name)}.yaml`),
    )
    over = true
    await Promise.all(load)
    expect([...answers.keys()]).toEqual([200])
    expect(answers.get(200)).toBeGreaterThan(50)
  })

  it('lose none that is set or deleted on the way', async () => {
    const { start, web, files, get } = await stand({ routes: 'auto', overHttp: { above: 10 } })
    const gateway = await start()
    await Promise.all(some(0, 10).map((name) => set(gateway, name, web.url)))
    // The eleventh sets them moving; these come while they do.
    await Promise.all([...some(10, 15).map((name) => set(gateway, name, web.url)), drop(gateway, 'w0'), drop(gateway, 'w1')])
    await reached(gateway, 'http')
    const answers = await Promise.all(some(0, 15).map((name) => get(hostOf(name))))
    expect(answers).toEqual([404, 404, ...Array(13).fill(200)])
    await noFiles(files)
  })

  it('keep every byte that was counted', async () => {
    const { start, web, get, read } = await stand({ routes: 'auto', overHttp: { above: 4 } })
    const gateway = await start()
    await Promise.all(some(0, 4).map((name) => set(gateway, name, web.url)))
    const ask = async (times: number) => {
      for (let n = 0; n < times; n++) expect(await get(hostOf('w0'))).toBe(200)
    }
    await ask(5)
    await set(gateway, 'more', web.url)
    await reached(gateway, 'http')
    await ask(5)
    for (const name of ['more', 'w3', 'w2', 'w1']) await drop(gateway, name)
    await reached(gateway, 'file')
    await ask(5)
    const body = 'hello'.length
    await vi.waitFor(async () => expect((await read()).get(idOf('w0'))?.response).toBe(15 * body), { timeout: 20_000 })
  })

  it('end where they are to be after another choice in the config', async () => {
    const { start, web, files, get } = await stand({ routes: 'http' })
    const first = await start()
    await set(first, 'one', web.url)
    await first.close()
    const second = await start({ routes: 'files' })
    await vi.waitFor(async () => expect(await get(hostOf('one'))).toBe(200), { timeout: 30_000 })
    expect(await files()).toContain('40-1-one.yaml')
    await second.close()
    const third = await start({ routes: 'http' })
    await reached(third, 'http')
    await vi.waitFor(async () => expect(await get(hostOf('one'))).toBe(200), { timeout: 30_000 })
    await noFiles(files)
  })
})
