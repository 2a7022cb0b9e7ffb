import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createGateway, type Plugin, parseOperation, type RunningGateway, type SetOp } from '../../../core/index.ts'
import { decode, encode, encodeResponse } from '../../../lib/zbus/index.ts'
import {
  backends,
  embedded,
  level,
  localCa,
  memory,
  type NncOptions,
  nameProxy,
  nnc,
  processes,
  tlsPassthrough,
  zosNode,
} from '../../../plugins/index.ts'
import { buildGo } from '../../interop/go.ts'
import { freePort, http1, openTls, tempRoot } from '../../kit/index.ts'
import { endKept, isRunning, keptChildren } from '../../kit/kept.ts'
import { loopbackConfig, otherModules, type Say } from '../neighbours.ts'
import { type TenantNetwork, tenantNetwork } from './networks.ts'

const domain = 'gent01.grid.tf'
const getNet = 'network@0.0.1 GetNet'
const namespace = 'network@0.0.1 Namespace'
const id = '26-4711-shop'
const patience = { timeout: 60_000, interval: 50 }

let command: string
beforeAll(async () => {
  command = await buildGo(new URL('../../interop/', import.meta.url), 'nnc')
})

/** A node with this network of a tenant, and gateways on it, one after another. */
const node = async (network: TenantNetwork, options: NncOptions = {}, says: Readonly<Record<string, Say>> = {}) => {
  const root = tempRoot('nnc')
  const others = await otherModules({
    'network@0.0.1 GetPublicConfig': loopbackConfig(domain),
    [getNet]: '10.20.2.0/24',
    [namespace]: network.answer,
    ...says,
  })
  const [http, https] = [await freePort(), await freePort()]
  onTestFinished(async () => {
    await endKept(root.path)
    await root.remove()
  })
  const plugins = (more: NncOptions = {}) => [
    zosNode({ broker: others.broker, timeout: 2 }),
    nameProxy(),
    tlsPassthrough(),
    localCa(),
    backends({ private: true }),
    level(),
    processes({ backoff: { first: 0.1, most: 1 } }),
    nnc({ command, timeout: 1, drain: 5, ...options, ...more }),
    embedded({ http: { port: http }, https: { port: https } }),
  ]
  const start = async (more: NncOptions = {}) => {
    const now = { plugins: plugins(more) }
    const gateway = await createGateway(now, { root: root.path, source: async () => now })
    let closing: Promise<void> | undefined
    const close = () => {
      closing ??= gateway.close()
      return closing
    }
    onTestFinished(close)
    const reload = (more: NncOptions) => {
      now.plugins = plugins(more)
      return gateway.reload()
    }
    return { gateway, close, reload }
  }
  const get = async (path = '/', name = 'shop'): Promise<string> => {
    const socket = await openTls({ port: https }, { name: `${name}.${domain}` })
    try {
      return (await http1(socket).request(`GET ${path}`, { Host: `${name}.${domain}` })).text
    } finally {
      socket.destroy()
    }
  }
  /** The nncs that run, by name, with the port of each. */
  const units = () => new Map([...keptChildren(root.path)].filter(([name]) => name.startsWith('nnc-')))
  return { root: root.path, others, start, get, units }
}
/** A gateway that only plans. */
const planning = async (broker: string, more: readonly Plugin[]) => {
  const root = tempRoot('nnc')
  const plugins = [zosNode({ broker }), nameProxy(), tlsPassthrough(), localCa(), memory(), processes(), ...more]
  const gateway = await createGateway({ plugins }, { root: root.path })
  onTestFinished(async () => {
    await gateway.close()
    await root.remove()
  })
  return gateway
}
/** Two ports, one behind the other, that nobody has. */
const neighbouringPorts = async (): Promise<readonly [number, number]> => {
  const ports: number[] = []
  while (true) {
    const port = await freePort()
    if (ports.includes(port - 1)) return [port - 1, port]
    ports.push(port)
  }
}
const netAnswer = encodeResponse({ id: 'reply-id', data: encode({ IP: Uint8Array.from([10, 20, 2, 0]), Mask: null }) })
const wanted = (...to: string[]) => parseOperation({ do: 'set-name', id, name: 'shop', backends: to, network: 'net' }) as SetOp
const set = ({ gateway }: { gateway: RunningGateway }, ...to: string[]) => gateway.dispatch(wanted(...to))
const served = (text: string, get: () => Promise<string>) => expect.poll(() => get().catch(String), patience).toBe(text)
const [first, second] = ['http://10.20.2.5:9000', 'http://10.20.2.5:9001']

describe.runIf(process.getuid?.() === 0)('reach/nnc, as root', () => {
  it('serves backends in the private network of a tenant, each through an nnc of its own', async () => {
    const network = await tenantNetwork()
    await network.serve('one', 9000)
    await network.serve('two', 9001)
    const at = await node(network)
    const asked: unknown[] = []
    at.others.say(getNet, (request) => {
      asked.push(...request.inputs.map(decode))
      return '10.20.2.0/24'
    })
    const running = await at.start()
    const route = await set(running, first, second)
    expect(asked).toEqual(['NFSHhr5U6X8py'])
    expect(route.backends).toEqual([first, second])
    expect([...at.units().keys()].sort()).toEqual([`nnc-${id}`, `nnc-${id}.2`])
    const got = new Set<string>()
    await expect
      .poll(async () => {
        got.add(await at.get())
        return [...got].sort()
      }, patience)
      .toEqual(['one', 'two'])
    await running.gateway.dispatch(parseOperation({ do: 'delete', id }))
    await expect.poll(() => at.units().size, patience).toBe(0)
  })

  it('changes backends without a failed request, those under way included, and lets the old nnc go', async () => {
    const network = await tenantNetwork()
    await network.serve('one', 9000)
    await network.serve('two', 9001)
    const at = await node(network)
    const running = await at.start()
    await set(running, first)
    await served('one', at.get)
    const before = [...at.units().values()]
    const slow = at.get('/1.5')
    const seen = new Set<string>()
    let over = false
    const reading = (async () => {
      while (!over) seen.add(await at.get())
    })()
    await set(running, second)
    await served('two', at.get)
    over = true
    await reading
    expect([...seen].sort()).toEqual(expect.arrayContaining(['two']))
    expect([...seen].every((text) => ['one', 'two'].includes(text))).toBe(true)
    expect(await slow).toBe('one')
    await expect.poll(() => before.filter(isRunning), patience).toEqual([])
    expect([...at.units().keys()]).toEqual([`nnc-${id}.2`])
    await set(running, first)
    await served('one', at.get)
    await expect.poll(() => at.units().size, patience).toBe(1)
  })

  it('goes on with an nnc that was to go, also where its last connection ends before the others of the Set are up', async () => {
    const network = await tenantNetwork()
    await network.serve('one', 9000)
    await network.serve('two', 9001)
    await network.serve('three', 9002)
    const at = await node(network, { drain: 60 })
    const [slow, started, go] = ['slow-nnc', 'started', 'go'].map((name) => join(at.root, name)) as [string, string, string]
    const wait = `case "$*" in *:9002*) touch ${started}; while ! [ -e ${go} ]; do sleep 0.05; done;; esac`
    writeFileSync(slow, `#!/bin/sh\n${wait}\nexec ${command} "$@"\n`, { mode: 0o755 })
    const running = await at.start({ command: slow })
    const { via = [] } = await set(running, first)
    const [pid = 0] = at.units().values()
    const open = connect({ host: '127.0.0.1', port: Number(new URL(via[0] ?? '').port) })
    await once(open, 'connect')
    await set(running, second)
    const setting = set(running, first, 'http://10.20.2.5:9002')
    await expect.poll(() => existsSync(started), patience).toBe(true)
    open.destroy()
    // As long as one that nobody wants takes to end.
    for (let left = 20; left > 0 && isRunning(pid); left--) await sleep(100)
    writeFileSync(go, '')
    await setting
    const got = new Set<string>()
    await expect
      .poll(async () => {
        got.add(await at.get())
        return [...got].filter((text) => text !== 'two').sort()
      }, patience)
      .toEqual(['one', 'three'])
    expect(isRunning(pid)).toBe(true)
  })

  it('leaves its nncs when the gateway goes, and takes them over without asking networkd', async () => {
    const network = await tenantNetwork()
    await network.serve('one', 9000)
    const at = await node(network)
    const before = await at.start()
    await set(before, first)
    const units = at.units()
    await before.close()
    expect([...units.values()].map(isRunning)).toEqual([true])
    at.others.say(getNet, 'silence')
    at.others.say(namespace, 'silence')
    const after = await at.start()
    await served('one', at.get)
    expect(at.units()).toEqual(units)
    await after.gateway.dispatch(parseOperation({ do: 'delete', id }))
    await expect.poll(() => [...units.values()].map(isRunning), patience).toEqual([false])
  })

  it('goes on through a reload that changes it', async () => {
    const network = await tenantNetwork()
    await network.serve('one', 9000)
    const at = await node(network)
    const running = await at.start()
    await set(running, first)
    const units = at.units()
    await running.reload({ timeout: 2 })
    expect(await at.get()).toBe('one')
    expect(at.units()).toEqual(units)
    await running.gateway.dispatch(parseOperation({ do: 'delete', id }))
    await expect.poll(() => at.units().size, patience).toBe(0)
  })

  it('serves again behind an nnc that died, and behind a network that was made anew', async () => {
    const network = await tenantNetwork()
    await network.serve('one', 9000)
    const at = await node(network)
    await set(await at.start(), first)
    await served('one', at.get)
    const [pid = 0] = at.units().values()
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => at.units().get(`nnc-${id}`) ?? pid, patience).not.toBe(pid)
    await served('one', at.get)
    await network.remove()
    await network.make()
    await network.serve('anew', 9000)
    await served('anew', at.get)
  })

  it('is up by itself where the network comes later than the gateway, as after a reboot', async () => {
    const network = await tenantNetwork()
    const at = await node(network)
    const before = await at.start()
    await set(before, first)
    await before.close()
    await endKept(at.root)
    await network.remove()
    at.others.say(getNet, 'error, no such network')
    await at.start()
    await network.make()
    await network.serve('back', 9000)
    await served('back', at.get)
  })

  it('takes another port where a stranger has the first, and says when there is none', async () => {
    const network = await tenantNetwork()
    await network.serve('one', 9000)
    const [taken, free] = await neighbouringPorts()
    const stranger = createServer().listen(taken, '127.0.0.1')
    onTestFinished(() => void stranger.close())
    const at = await node(network, { ports: [taken, free] })
    const running = await at.start()
    await set(running, first)
    await served('one', at.get)
    await expect(set(running, first, second)).rejects.toMatchObject({
      code: 'NETWORK_UNAVAILABLE',
      message: expect.stringContaining('in use'),
    })
    expect(await at.get()).toBe('one')
    expect([...at.units().keys()]).toEqual([`nnc-${id}`])
  })

  const useless: readonly (readonly [string, Readonly<Record<string, Say>>, string, string])[] = [
    ['knows no such network', { [getNet]: 'error, no such network' }, 'NETWORK_UNAVAILABLE', 'failed to get user network: '],
    ['does not answer', { [getNet]: 'silence' }, 'NEIGHBOUR_UNAVAILABLE', 'no answer within 1 s'],
    ['does not answer the second question', { [namespace]: 'silence' }, 'NEIGHBOUR_UNAVAILABLE', 'no answer within 1 s'],
    ['answers garbage', { [getNet]: Buffer.from('not msgpack') }, 'NEIGHBOUR_UNAVAILABLE', 'no answer within 1 s'],
    ['names a namespace where it was asked for a network', { [getNet]: 'as Namespace' }, 'NEIGHBOUR_UNAVAILABLE', 'no network'],
    ['names a network where it was asked for a namespace', { [namespace]: 'as GetNet' }, 'NEIGHBOUR_UNAVAILABLE', 'no name'],
    [
      'names a namespace that is not there',
      { [namespace]: 'n-2MMEUgPZGLTnb' },
      'NETWORK_UNAVAILABLE',
      'failed to ensure local gateway: ',
    ],
  ]
  it.each(useless)('refuses a Set where networkd %s, and what was set is served on', async (_, says, code, why) => {
    const network = await tenantNetwork()
    await network.serve('one', 9000)
    const at = await node(network)
    const running = await at.start()
    await set(running, first)
    const units = at.units()
    for (const [method, say] of Object.entries(says))
      at.others.say(method, say === 'as Namespace' ? network.answer : say === 'as GetNet' ? netAnswer : say)
    await expect(set(running, second)).rejects.toMatchObject({ code, message: expect.stringContaining(why) })
    expect(await at.get()).toBe('one')
    expect(at.units()).toEqual(units)
    expect(running.gateway.routes.get(wanted(first).id)?.backends).toEqual([first])
  })

  it('refuses a Set where there is no nnc', async () => {
    const network = await tenantNetwork()
    const at = await node(network, { command: join('/nowhere', 'nnc') })
    const running = await at.start()
    await expect(set(running, first)).rejects.toMatchObject({
      code: 'NETWORK_UNAVAILABLE',
      message: expect.stringContaining(`failed to ensure local gateway: nnc-${id} cannot be started: the program`),
    })
    expect(running.gateway.routes.size).toBe(0)
  })
})

it('bridges nothing for a plan, which asks nobody', async () => {
  const others = await otherModules({ 'network@0.0.1 GetPublicConfig': loopbackConfig(domain) })
  const gateway = await planning(others.broker, [nnc({ command: '/nowhere/nnc' })])
  const { problems, route } = await gateway.plan(wanted(first))
  expect([problems, route?.network, route?.via]).toEqual([[], 'net', undefined])
  expect(others.asked).not.toContain(getNet)
  const without = await planning(others.broker, [])
  expect((await without.plan(wanted(first))).problems).toMatchObject([{ code: 'NETWORK_UNSUPPORTED' }])
})

it.each([{ ports: [80, 90] as const }, { ports: [9, 8] as const }, { timeout: 0 }, { drain: -1 }])(
  'refuses %j where it is written',
  (options) => expect(() => nnc(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' })),
)
