import { expect, it, onTestFinished } from 'vitest'
import { createGateway, definePlugin, type OwnEndpoint, type Plugin, type RunningGateway } from '../../core/index.ts'
import { backends, httpApi, memory, zbus } from '../../plugins/index.ts'
import { freePort, tempRoot } from '../kit/index.ts'
import { anyHost, anyTls, set, tableEngine } from './parts.ts'

const listener = (...endpoints: OwnEndpoint[]) =>
  definePlugin({
    name: 'service/listener',
    kind: 'service',
    options: endpoints,
    setup: (core) => core.endpoints.declare(endpoints) ?? {},
  })

/** A gateway that allows loopback and private addresses. */
const start = async (...plugins: Plugin[]) => {
  const { path: root, remove } = tempRoot()
  onTestFinished(remove)
  let more = plugins
  const policy = backends({ allow: ['127.0.0.0/8', '::1', '64:ff9b::/96'], private: true })
  const fixed = [memory(), anyHost(), anyTls(), tableEngine().plugin, policy]
  const config = () => ({ plugins: [...fixed, ...more] })
  const gateway = await createGateway(config(), { root, source: async () => config() })
  onTestFinished(gateway.close)
  return {
    gateway,
    reload: (...next: Plugin[]) => {
      more = next
      return gateway.reload()
    },
  }
}
const refusals = async (gateway: RunningGateway, backend: string) =>
  (await gateway.plan({ ...set('1-1-a', 'a.example.org'), backends: [backend] })).problems.map(
    ({ code, message }) => `${code} ${message}`,
  )
const itself = (port: number) => [
  expect.stringMatching(`^BACKEND_FORBIDDEN .* points to the gateway itself, on its port ${port}$`),
]

it('refuses what a plugin declares and what the core listens on, under every address of this machine', async () => {
  const api = await freePort()
  const { gateway } = await start(
    listener({ port: 9_100 }, { port: 20_000, lastPort: 20_010 }),
    httpApi({ tcp: { port: api }, socket: false }),
  )
  for (const port of [9_100, 20_000, 20_005, 20_010, api])
    for (const host of ['127.0.0.1', '127.8.8.8', '[::1]', '[64:ff9b::127.0.0.1]', '[::ffff:127.0.0.1]'])
      expect(await refusals(gateway, `http://${host}:${port}`), `${host} ${port}`).toEqual(itself(port))
  for (const port of [9_101, 19_999, 20_011]) expect(await refusals(gateway, `http://127.0.0.1:${port}`)).toEqual([])
  expect(await refusals(gateway, 'http://10.9.9.9:9100')).toEqual([])
})

it('refuses a server of the gateway’s own on another machine at its address alone, as the broker is', async () => {
  const { gateway } = await start(listener({ host: '10.9.9.9', port: 6_379 }, { host: '127.0.0.1', port: 6_380 }))
  expect(await refusals(gateway, 'http://10.9.9.9:6379')).toEqual(itself(6_379))
  expect(await refusals(gateway, 'http://10.9.9.8:6379')).toEqual([])
  expect(await refusals(gateway, 'http://127.0.0.1:6379')).toEqual([])
  expect(await refusals(gateway, 'http://[::1]:6380')).toEqual(itself(6_380))
})

it('refuses the broker of zbus, answered or not', async () => {
  const port = await freePort()
  const { gateway } = await start(zbus({ broker: `tcp://localhost:${port}` }))
  await expect.poll(() => refusals(gateway, `http://127.0.0.1:${port}`)).toEqual(itself(port))
  expect(await refusals(gateway, `http://[::1]:${port}`)).toEqual(itself(port))
})

it('follows a reload', async () => {
  const { gateway, reload } = await start(listener({ port: 9_100 }))
  await reload(listener({ port: 9_101 }))
  await expect.poll(() => refusals(gateway, 'http://127.0.0.1:9100')).toEqual([])
  expect(await refusals(gateway, 'http://127.0.0.1:9101')).toEqual(itself(9_101))
  await reload()
  await expect.poll(() => refusals(gateway, 'http://127.0.0.1:9101')).toEqual([])
})
