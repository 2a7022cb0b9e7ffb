import { cpSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { importDrafts } from '../../../core/import.ts'
import {
  createGateway,
  type Logged,
  leftDraft,
  type Plugin,
  parseId,
  parseOperation,
  type RunningGateway,
} from '../../../core/index.ts'
import { readLeft } from '../../../lib/left-routes/folder.ts'
import {
  backends,
  dnsResolver,
  fqdnProxy,
  httpResolver,
  importRoutes,
  level,
  nameProxy,
  pointsHere,
  staticNode,
  tlsPassthrough,
} from '../../../plugins/index.ts'
import { tableEngine } from '../../core/parts.ts'
import { tempRoot } from '../../kit/index.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/left-routes/${name}`, import.meta.url))
const dns = () => ['resolver', 'dnsresolver']

/** A root in which the Go module left its files, and gateways on it, one after another. */
const machine = (...folders: string[]) => {
  const root = tempRoot()
  const proxy = join(root.path, 'proxy')
  mkdirSync(proxy)
  for (const folder of folders) cpSync(fixture(folder), proxy, { recursive: true })
  const start = async (plugins: readonly Plugin[] = [importRoutes({ from: [proxy] })]) => {
    const engine = tableEngine()
    const gateway = await createGateway(
      {
        plugins: [
          staticNode({ ipv4: '192.0.2.1', domain: 'gent01.grid.tf' }),
          fqdnProxy(),
          nameProxy(),
          tlsPassthrough(),
          httpResolver(),
          dnsResolver(),
          // Neither would let these pass now: there is no name server, and no backend of theirs is allowed.
          pointsHere({ resolvers: ['127.0.0.1:9'], timeout: 0.1 }),
          backends(),
          level(),
          ...plugins,
          { ...engine.plugin, setup: async (core) => ({ ...(await engine.plugin.setup(core)), issues: () => true }) } as Plugin,
        ],
      },
      { root: root.path },
    )
    let closed = false
    const close = async () => {
      if (!closed) await gateway.close()
      closed = true
    }
    onTestFinished(close)
    return { gateway, engine: engine.state, close }
  }
  onTestFinished(() => root.remove())
  return { start, proxy, root: root.path }
}
const alarms = async (gateway: RunningGateway): Promise<Logged[]> => {
  const seen: Logged[] = []
  for await (const event of gateway.events(0, AbortSignal.timeout(200))) if (event.type === 'alarm') seen.push(event)
  return seen
}

test('at the first start the files of the Go module are served before anything else, by the resolvers of now, unchecked', async () => {
  const { start } = machine('older', 'proxy')
  const { gateway, engine } = await start()
  expect(engine.changes).toEqual([])
  expect(
    [...engine.served.values()].map(({ host, tls }) => [host, tls.mode === 'terminate' && dns().indexOf(tls.resolver)]),
  ).toEqual(
    expect.arrayContaining([
      ['example.org', 0],
      ['shop.gent01.grid.tf', 1],
      ['oldest.gent01.grid.tf', 1],
      ['remote.omar.grid.tf', false],
      ['vault.gent01.grid.tf', false],
    ]),
  )
  expect(gateway.routes.get(parseId('40-1976-shop'))).toMatchObject({ zone: 'gent01.grid.tf', tenant: '40' })
  expect(gateway.routes.size).toBe(7)
})

test('a workload that was deleted since does not come back from its file', async () => {
  const { start } = machine('proxy')
  const first = await start()
  await first.gateway.dispatch(parseOperation({ do: 'delete', id: '37-2039-tls' }) as never)
  await first.close()
  const second = await start()
  expect(second.gateway.routes.size).toBe(4)
  expect(second.gateway.routes.get(parseId('37-2039-tls'))).toBeUndefined()
})

test('what is stored goes before what was left, and each file that is not taken over is named in an alarm', async () => {
  const { start, proxy } = machine('proxy', 'unread')
  const before = await start([])
  const set = { do: 'set-name', id: '40-9-mine', name: 'shop', backends: ['192.88.99.1:443'], passthrough: true }
  await before.gateway.dispatch(parseOperation({ ...set, backends: ['9.9.9.9:443'] }) as never)
  await before.close()
  const files = readdirSync(proxy)
  const { gateway } = await start()
  expect(gateway.routes.byHost('shop.gent01.grid.tf')?.id).toBe('40-9-mine')
  expect(gateway.routes.size).toBe(5)
  const told = (await alarms(gateway)).map((event) => ('message' in event ? event.message : ''))
  expect(told.filter((message) => message.includes('40-1976-shop'))).toEqual([
    'workload 40-1976-shop (shop.gent01.grid.tf) was left by another gateway and is not taken over: domain already registered: shop.gent01.grid.tf',
  ])
  expect(told.filter((message) => message.includes('is not taken over')).length).toBe(1 + readdirSync(fixture('unread')).length)
  expect(readdirSync(proxy)).toEqual(files)
})

test('what an import brought before the first start is no news then', async () => {
  const { start, proxy, root } = machine('proxy')
  const { routes } = await readLeft([proxy])
  const added = await importDrafts({ plugins: [level()] }, root, routes.map(leftDraft))
  expect([added.routes.length, added.refused]).toEqual([5, []])
  const { gateway } = await start()
  expect(gateway.routes.size).toBe(5)
  expect(gateway.routes.get(parseId('37-2039-own'))?.tls).toMatchObject({ resolver: 'resolver', names: ['example.org'] })
  expect(await alarms(gateway)).toEqual([])
})

test('a Set of what was taken over changes it, as of any other workload', async () => {
  const { start } = machine('proxy')
  const { gateway } = await start()
  const set = { do: 'set-name', id: '40-1977-tlsname', name: 'vault', backends: ['9.9.9.9:443'], passthrough: true }
  expect(await gateway.dispatch(parseOperation(set) as never)).toMatchObject({ backends: ['9.9.9.9:443'] })
  expect(gateway.routes.size).toBe(5)
})

test('a node without anything left starts empty', async () => {
  const { start } = machine()
  const { gateway } = await start()
  expect(gateway.routes.size).toBe(0)
})

test('folders that are none are refused where they are written', () =>
  expect(() => importRoutes({ from: [''] })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' })))
