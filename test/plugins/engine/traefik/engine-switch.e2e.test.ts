import { once } from 'node:events'
import { createServer } from 'node:http'
import { Agent, request } from 'node:https'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { createGateway, type Plugin, parseOperation } from '../../../../core/index.ts'
import { embedded, localCa, memory, nameProxy, processes, staticNode, traefik } from '../../../../plugins/index.ts'
import { freePort, tempRoot } from '../../../kit/index.ts'
import { endKept } from '../../../kit/kept.ts'
import { traefikPath } from '../../../kit/programs.ts'

const domain = 'gw.test'
const drain = 10

const stand = async () => {
  const { path: root, remove } = tempRoot('switch')
  const [http, https, api, feed, relay] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const ports = { http: { port: http }, https: { port: https } }
  const web = createServer((request, response) => {
    response.write('hello')
    if (request.url === '/slow') request.socket.once('close', () => response.end())
    else response.end()
  })
  web.listen(0, '127.0.0.1')
  await once(web, 'listening')
  const common = [memory(), staticNode({ domain }), nameProxy(), localCa(), processes()]
  const onEmbedded = (): readonly Plugin[] => [...common, embedded({ ...ports, drain })]
  const onTraefik = (idleSeconds: number): readonly Plugin[] => [
    ...common,
    traefik({
      ...ports,
      command: traefikPath(),
      api: { port: api },
      overHttp: { port: feed },
      relay: { port: relay },
      issue: 'gateway',
      drain,
      limits: { idleSeconds },
    }),
  ]
  let plugins = onEmbedded()
  const gateway = await createGateway({ plugins }, { root, source: async () => ({ plugins }) })
  onTestFinished(async () => {
    web.closeAllConnections()
    await gateway.close()
    web.close()
    await endKept(root)
    await remove()
  })
  const address = web.address()
  const backend = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  const set = { do: 'set-name', id: '1-1-a', name: 'a', backends: [backend], passthrough: false }
  await gateway.dispatch(parseOperation(set) as never)
  const reloadTo = async (next: readonly Plugin[]) => {
    plugins = next
    await gateway.reload()
  }
  return { gateway, https, onEmbedded, onTraefik, reloadTo }
}

/** What one new connection meets: a status, or why there was none. */
const ask = (port: number, path = '/'): Promise<string> =>
  new Promise((done) => {
    const agent = new Agent({ keepAlive: false })
    const options = { host: '127.0.0.1', port, path, agent, servername: `a.${domain}`, headers: { host: `a.${domain}` } }
    request({ ...options, rejectUnauthorized: false, timeout: 5_000 }, (response) => {
      done(String(response.statusCode))
      response.resume()
    })
      .once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
      .end()
  })

/** Connects over and over; `end` says what came, and the longest time in milliseconds between two good answers. */
const load = (port: number) => {
  const seen: Record<string, number> = {}
  let [stopped, good, longest] = [false, performance.now(), 0]
  // None waits for the one before, which Traefik may keep for five seconds where it ends during the handshake.
  const one = async () => {
    const answer = await ask(port)
    seen[answer] = (seen[answer] ?? 0) + 1
    if (answer !== '200') return
    longest = Math.max(longest, performance.now() - good)
    good = performance.now()
  }
  const run = (async () => {
    while (!stopped) {
      void one()
      await wait(10)
    }
  })()
  return {
    async end() {
      while ((await ask(port)) !== '200') await wait(20)
      await wait(200)
      stopped = true
      await run
      return { seen, longest }
    },
  }
}

it('engines take the place of each other, and of themselves with other options, with a short gap and no port in use', async () => {
  const { https, onEmbedded, onTraefik, reloadTo } = await stand()
  expect(await ask(https)).toBe('200')
  const steps: readonly (readonly [string, readonly Plugin[]])[] = [
    ['embedded to Traefik', onTraefik(75)],
    ['another option of Traefik', onTraefik(70)],
    ['Traefik to embedded', onEmbedded()],
    ['embedded to Traefik again, while the last one drains', onTraefik(75)],
    ['Traefik to embedded again', onEmbedded()],
  ]
  for (const [step, plugins] of steps) {
    // It keeps the engine that goes at work for as long as it may drain: nobody waits for that.
    expect([step, await ask(https, '/slow')]).toEqual([step, '200'])
    const clients = load(https)
    await reloadTo(plugins)
    const { seen, longest } = await clients.end()
    // A second, and time for a busy machine; the drain of ten seconds was waited for before.
    expect([step, longest]).toEqual([step, expect.toSatisfy((time: number) => time < 5_000)])
    if (step.startsWith('Traefik to embedded')) expect([step, seen['404']]).toEqual([step, undefined])
  }
})
