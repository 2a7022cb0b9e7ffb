import { Agent, createServer, get, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test, vi } from 'vitest'
import { createGateway, definePlugin, type Plugin, type WorkloadId } from '../../../core/index.ts'
import { embedded, level, memory, traffic } from '../../../plugins/index.ts'
import { anyHost, anyTls, set } from '../../core/parts.ts'
import { freePort, tempRoot } from '../../kit/index.ts'

/** The status of one request, on a connection that is kept where `agent` keeps it. */
const ask = (port: number, agent: Agent): Promise<number> =>
  new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent, headers: { host: 'a.example.org' } }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0))
    }).on('error', reject)
  })

test('a reload that replaces the engine drops no request and no byte of the count', async () => {
  const backend = createServer((_, answer) => answer.end('0123456789'))
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
  const [port, root] = [await freePort(), tempRoot()]
  const store = memory()
  const plugins = (headerBytes: number) => [
    store,
    anyHost(),
    anyTls(),
    embedded({
      http: { host: '127.0.0.1', port, redirect: false },
      https: { host: '127.0.0.1', port: 0 },
      limits: { headerBytes },
      drain: 5,
    }),
    traffic({ interval: 1 }),
  ]
  let size = 10_000
  const source = async () => ({ plugins: plugins(size) })
  const gateway = await createGateway({ plugins: plugins(size) }, { root: root.path, source })
  await gateway.dispatch(set('a', 'a.example.org', `http://127.0.0.1:${(backend.address() as AddressInfo).port}`))

  let running = true
  let served = 0
  const agents = [new Agent({ keepAlive: true }), new Agent({ keepAlive: false })]
  const clients = [0, 1, 0, 1].map(async (index) => {
    while (running) {
      expect(await ask(port, agents[index]!)).toBe(200)
      served++
    }
  })
  for (size of [11_000, 12_000, 13_000]) {
    const before = served
    expect((await gateway.reload()).replaced).toContain('engine/embedded')
    while (served < before + 50) await Promise.race([Promise.all(clients), new Promise(setImmediate)])
  }
  running = false
  await Promise.all(clients)
  // A replaced engine drains behind the reload, and what it still counted comes in when it has ended.
  const counted = async () => (await gateway.dispatch({ do: 'metrics' })).get('a' as WorkloadId)?.response
  await vi.waitFor(async () => expect(await counted()).toBe(served * 10), { timeout: 10_000 })
  for (const agent of agents) agent.destroy()
  await gateway.close()
  backend.close()
  await root.remove()
})

test('what a stopping gateway still serves is counted for good', async () => {
  const { promise: asked, resolve: came } = Promise.withResolvers<ServerResponse>()
  const backend = createServer((_, answer) => came(answer.writeHead(200, { 'content-length': 20 })))
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
  const [port, root] = [await freePort(), tempRoot()]
  const open = () =>
    createGateway(
      {
        plugins: [
          level(),
          anyHost(),
          anyTls(),
          embedded({ http: { host: '127.0.0.1', port, redirect: false }, https: { host: '127.0.0.1', port: 0 }, drain: 10 }),
          traffic(),
        ],
      },
      { root: root.path },
    )
  const first = await open()
  await first.dispatch(set('a', 'a.example.org', `http://127.0.0.1:${(backend.address() as AddressInfo).port}`))
  const status = ask(port, new Agent())
  const answer = await asked
  answer.write('0123456789')
  const closed = first.close()
  answer.end('0123456789')
  expect(await status).toBe(200)
  await closed
  const second = await open()
  expect((await second.dispatch({ do: 'metrics' })).get('a' as WorkloadId)?.response).toBe(20)
  await second.close()
  backend.close()
  await root.remove()
})

test('who comes before the routes are there waits for them', async () => {
  const [port, root] = [await freePort(), tempRoot()]
  const backend = createServer((_, answer) => answer.end('0123456789'))
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
  let early: Promise<number> | undefined
  // Set up behind the engine, whose port is open, and before the routes are restored.
  const impatient = definePlugin({
    name: 'service/impatient',
    kind: 'service',
    setup: async () => {
      // An answer that comes now comes too early; the time is what a wrong one would need, not what a right one gets.
      early = ask(port, new Agent())
      await Promise.race([early, new Promise((resolve) => setTimeout(resolve, 200))])
      return {}
    },
  })
  const open = (...more: Plugin[]) =>
    createGateway(
      {
        plugins: [
          level(),
          anyHost(),
          anyTls(),
          embedded({ http: { host: '127.0.0.1', port, redirect: false }, https: { host: '127.0.0.1', port: 0 }, drain: 1 }),
          ...more,
        ],
      },
      { root: root.path },
    )
  const first = await open()
  await first.dispatch(set('a', 'a.example.org', `http://127.0.0.1:${(backend.address() as AddressInfo).port}`))
  await first.close()
  const second = await open(impatient)
  expect(await early).toBe(200)
  await second.close()
  backend.close()
  await root.remove()
})
