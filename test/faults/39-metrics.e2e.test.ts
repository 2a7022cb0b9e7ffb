import { mkdirSync, writeFileSync } from 'node:fs'
import { Agent, createServer } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import { gatewayProcess } from '../cli/gateway-process.ts'
import { echoWhole } from '../kit/backends/http.ts'
import { clientHello } from '../kit/clients/pieces.ts'
import { freePort, http1, httpBackend, openTcp, openTls, rawBackend, tempRoot } from '../kit/index.ts'
import { endKept, isRunning, keptChildren } from '../kit/kept.ts'
import { traefikPath } from '../kit/programs.ts'
import { relayStand } from '../plugins/engine/traefik/relay-stand.ts'
import { ask } from '../torture/http-caller.ts'
import type { Engine } from './engines.ts'
import { fault, faultOn } from './fault.ts'

const patience = { timeout: 60_000, interval: 100 }
const zone = 'gw.test'
const [passed, ended] = ['1-1-passed', '1-2-ended']

const configOf = (engine: string) => `
import { defineGateway } from 'zos-gateway'
import { backends, embedded, httpApi, level, localCa, nameProxy, processes, staticNode, tlsPassthrough, traefik, traffic } from 'zos-gateway/plugins'
export default defineGateway({
  plugins: [
    staticNode({ domain: '${zone}', ipv4: '198.51.100.7' }),
    nameProxy(),
    tlsPassthrough(),
    localCa(),
    backends({ allow: ['127.0.0.0/8'] }),
    level(),
    processes({ backoff: { first: 0.1, most: 1 } }),
    ${engine},
    traffic({ interval: 0.2 }),
    httpApi({ tcp: false }),
  ],
})
`

const stand = async (engineOf: (http: number, https: number) => Promise<string>) => {
  const folder = tempRoot('metrics')
  const [http, https] = [await freePort(), await freePort()]
  const [root, config] = [join(folder.path, 'root'), join(folder.path, 'gateway.config.mts')]
  mkdirSync(root, { mode: 0o700 })
  writeFileSync(config, configOf(await engineOf(http, https)))
  const web = await httpBackend(echoWhole)
  const echo = await rawBackend(async (connection) => {
    for (;;) await connection.send(await connection.some())
  })
  const start = () => gatewayProcess(['--root', root, '--config', config], { cwd: folder.path })
  let gateway = start()
  onTestFinished(async () => {
    await gateway[Symbol.asyncDispose]()
    await endKept(root)
    await Promise.all([web.close(), echo.close()])
    await folder.remove()
  })
  const agent = new Agent()
  const call = (method: string, path: string, body?: object) => ask(agent, join(root, 'gateway.sock'), method, path, body)
  const sums = async (): Promise<object> => JSON.parse((await call('GET', '/v1/metrics')).body)
  const sent = { [passed]: 0, [ended]: 0 }
  const hello = await clientHello(`passed.${zone}`)
  const passThrough = async (size: number) => {
    const client = http1(await openTcp({ port: https }))
    try {
      await client.send(hello)
      // A Traefik that has not read its routes yet would end TLS itself.
      expect(await client.take(hello.length)).toEqual(hello)
      await client.send('x'.repeat(size))
      await client.take(size)
      sent[passed] = (sent[passed] ?? 0) + hello.length + size
    } finally {
      client.close()
    }
  }
  const post = async (size: number) => {
    const client = http1(await openTls({ port: https }, { name: `ended.${zone}` }))
    try {
      const answer = await client.request('POST /', { Host: `ended.${zone}` }, 'x'.repeat(size))
      expect([answer.status, answer.body.length]).toEqual([200, size])
      sent[ended] = (sent[ended] ?? 0) + size
    } finally {
      client.close()
    }
  }
  return {
    root,
    call,
    gateway: () => gateway,
    again: async () => {
      gateway = start()
      await gateway.until('is up')
    },
    open: async () => {
      await gateway.until('is up')
      const put = (id: string, body: object) => call('PUT', `/v1/workloads/${id}?wait=live`, body)
      expect((await put(passed, { name: 'passed', backends: [echo.address], passthrough: true })).status).toBe(201)
      expect((await put(ended, { name: 'ended', backends: [web.url] })).status).toBe(201)
    },
    /** Fifty of each at once, once both ways serve. */
    load: async () => {
      await vi.waitFor(() => passThrough(1), patience)
      await vi.waitFor(() => post(1), patience)
      await Promise.all(Array.from({ length: 50 }, (_, n) => Promise.all([passThrough(n * 997), post(n * 1_009)])))
    },
    /** What is billed is what clients sent and got, to the byte. */
    settled: () =>
      vi.waitFor(async () => {
        const both = (id: string) => ({ request: sent[id], response: sent[id] })
        expect(await sums()).toMatchObject({ workloads: { [passed]: both(passed), [ended]: both(ended) } })
      }, patience),
  }
}

const traefikOf = async (http: number, https: number) =>
  `traefik(${JSON.stringify({
    command: traefikPath(),
    http: { host: '127.0.0.1', port: http },
    https: { host: '127.0.0.1', port: https },
    api: { port: await freePort() },
    relay: { port: await freePort() },
    routes: 'files',
    issue: 'gateway',
    drain: 1,
    keepServing: true,
  })})`
const embeddedOf = async (http: number, https: number) =>
  `embedded({ http: { host: '127.0.0.1', port: ${http} }, https: { host: '127.0.0.1', port: ${https} } })`

const counting: Readonly<
  Partial<Record<Engine, readonly [of: typeof traefikOf, children: readonly string[], end: NodeJS.Signals]>>
> = {
  // It counts in the gateway: what the last moment before a kill brought is lost, and a stop loses nothing.
  embedded: [embeddedOf, [], 'SIGTERM'],
  traefik: [traefikOf, ['traefik', 'traefik-relay'], 'SIGKILL'],
}

faultOn(39, 'what clients sent is billed, over kills of everything that counts', counting, async ([engineOf, children, end]) => {
  const at = await stand(engineOf)
  await at.open()
  await at.load()
  await at.settled()
  for (const name of children) {
    const pid = keptChildren(at.root).get(name) ?? 0
    expect(pid).toBeGreaterThan(0)
    process.kill(pid, 'SIGKILL')
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false), patience)
    await at.load()
    await at.settled()
  }
  at.gateway().signal(end)
  await at.gateway().ended
  // Nobody but those that carry the traffic is there now.
  if (children.length > 0) await at.load()
  await at.again()
  await at.settled()
  await at.load()
  await at.settled()
})

fault(
  39,
  'adds ten thousand series up in one look, whatever else stands in the labels, and says nothing while Traefik is away',
  async () => {
    const count = 10_000
    const odd = 'traefik_service_responses_bytes_total{code="2\\"00} 5",method="a\\\\",protocol="\\n{",service="'
    const lines = Array.from({ length: count }, (_, n) =>
      ['requests', 'responses'].map((way) => `traefik_service_${way}_bytes_total{code="200",service="1-${n}-w@file"} ${n + 1}\n`),
    ).flat(2)
    const text = `process_start_time_seconds ${Date.now() / 1_000 + 3_600}\nprocess_cpu_seconds_total 1\n${lines.join('')}${odd}1-0-w@file"} 41\n${odd}\\" x@file"} 9\n`
    let looks = 0
    const traefik = createServer((_, answer) => {
      looks++
      answer.end(text)
    })
    const port = await freePort()
    const at = await relayStand([], { metrics: { host: '127.0.0.1', port } })
    await at.client.restore([])
    expect((await at.client.read(AbortSignal.timeout(10_000))).bytes.size).toBe(0)
    await new Promise<void>((done) => traefik.listen(port, '127.0.0.1', done))
    onTestFinished(() => void traefik.close())
    await vi.waitFor(async () => {
      const { bytes } = await at.client.read(AbortSignal.timeout(10_000))
      expect(bytes.size).toBe(count)
      expect([await at.bytes('1-0-w'), await at.bytes('1-9999-w')]).toEqual([
        { request: 1, response: 42 },
        { request: count, response: count },
      ])
    }, patience)
    expect(looks).toBeGreaterThan(0)
  },
)
