import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createGateway, definePlugin, type Logged, type Problem, parseId, parseOperation } from '../../../core/index.ts'
import {
  type AfterRebootOptions,
  afterReboot,
  backends,
  level,
  nameProxy,
  staticNode,
  tlsPassthrough,
} from '../../../plugins/index.ts'
import { keeper } from '../../../plugins/transport/after-reboot/keep.ts'
import { tableEngine } from '../../core/parts.ts'
import { tempRoot } from '../../kit/index.ts'

/** A machine that can be booted anew, and gateways on it, one after another. */
const machine = (options: AfterRebootOptions = {}) => {
  const root = tempRoot()
  onTestFinished(() => root.remove())
  const bootId = join(root.path, 'boot_id')
  const boot = (id: string) => writeFileSync(bootId, `${id}\n`)
  boot('first')
  const start = async (prepare: (engine: ReturnType<typeof tableEngine>['state']) => void = () => undefined) => {
    const engine = tableEngine()
    prepare(engine.state)
    const problems: Problem[] = []
    const failing = definePlugin({
      name: 'policy/failing',
      kind: 'policy',
      options: {},
      setup: () => ({ check: () => [...problems] }),
    })
    const gateway = await createGateway(
      {
        plugins: [
          staticNode({ domain: 'gent01.grid.tf' }),
          nameProxy(),
          tlsPassthrough(),
          backends(),
          failing,
          level(),
          engine.plugin,
          afterReboot({ bootId, ...options }),
        ],
      },
      { root: root.path },
    )
    const seen: Logged[] = []
    const stop = new AbortController()
    const read = async () => {
      for await (const event of gateway.events(0, stop.signal)) if (event.type === 'alarm') seen.push(event)
    }
    void read()
    let closing: Promise<void> | undefined
    const close = async () => {
      stop.abort()
      closing ??= gateway.close()
      await closing
    }
    onTestFinished(close)
    const set = (name: string, backend = '9.9.9.9:443') =>
      gateway.dispatch(
        parseOperation({ do: 'set-name', id: `1-1-${name}`, name, backends: [backend], passthrough: true }) as never,
      )
    const names = () => [...gateway.routes.all()].map(({ host }) => host.split('.')[0]).sort()
    return {
      gateway,
      engine,
      set,
      close,
      names,
      problems,
      alarms: () => seen.map((event) => ('message' in event ? event.message : '')),
    }
  }
  return { start, boot }
}
/** With these workloads set, and booted anew. */
const rebooted = async (options: AfterRebootOptions, ...names: string[]) => {
  const { start, boot } = machine(options)
  const before = await start()
  for (const name of names) await before.set(name)
  await before.close()
  boot('second')
  return { start, boot }
}

test('after a reboot every workload is served at once, and what is set again stays', async () => {
  const { start } = await rebooted({ within: 5, thenDrop: 0.2 }, 'one', 'two', 'three')
  const { set, names, alarms } = await start()
  expect(names()).toEqual(['one', 'three', 'two'])
  await set('one')
  await set('two', '9.9.9.10:443')
  await vi.waitFor(
    () => expect(alarms()).toEqual(['1 workloads were not set again since this machine booted: 1-1-three']),
    20_000,
  )
  expect(names()).toContain('three')
  await vi.waitFor(() => expect(names()).toEqual(['one', 'two']), 20_000)
})

test('one whose Set is refused is removed, and one that could not be checked is not', async () => {
  const { start } = await rebooted({ thenDrop: false }, 'one', 'two')
  const { gateway, set, names } = await start()
  await expect(set('one', '10.0.0.1:443')).rejects.toMatchObject({ code: 'BACKEND_FORBIDDEN' })
  await vi.waitFor(() => expect(names()).toEqual(['two']), 5_000)
  const late = { do: 'set-name', id: '1-1-two', name: 'two', backends: ['9.9.9.10:443'], passthrough: true }
  await expect(gateway.dispatch(parseOperation(late) as never, { deadline: 0 })).rejects.toMatchObject({ code: 'TIMEOUT' })
  await expect(set('other', '10.0.0.1:443')).rejects.toThrow()
  expect(gateway.routes.get(parseId('1-1-two'))).toBeDefined()
})

test('DNS that cannot be reached after a reboot removes nobody, also when the time is over, and a later refusal still does', async () => {
  const { start } = await rebooted({ within: 1, thenDrop: 0.1 }, 'one', 'two', 'three')
  const { gateway, set, names, alarms, problems } = await start()
  problems.push({ code: 'DNS_UNAVAILABLE', message: 'no name server answered', fix: 'try again' })
  await expect(set('one')).rejects.toMatchObject({ code: 'DNS_UNAVAILABLE' })
  await expect(set('two')).rejects.toMatchObject({ code: 'DNS_UNAVAILABLE' })
  await vi.waitFor(() => expect(names()).toEqual(['one', 'two']), 20_000)
  expect(alarms()).toEqual(['1 workloads were not set again since this machine booted: 1-1-three'])
  problems.length = 0
  await set('two')
  await expect(set('one', '10.0.0.1:443')).rejects.toMatchObject({ code: 'BACKEND_FORBIDDEN' })
  await vi.waitFor(() => expect(names()).toEqual(['two']), 20_000)
  expect(gateway.routes.get(parseId('1-1-two'))).toBeDefined()
})

test('one that is set again after it was refused stays, also where the removals before it take their time', async () => {
  const { start } = await rebooted({ thenDrop: false }, 'one', 'two')
  const { engine, set, names } = await start()
  const slow = Promise.withResolvers<void>()
  engine.state.before = () => slow.promise
  await expect(set('one', '10.0.0.1:443')).rejects.toMatchObject({ code: 'BACKEND_FORBIDDEN' })
  await vi.waitFor(() => expect(engine.state.changes).toHaveLength(1), 20_000)
  await expect(set('two', '10.0.0.1:443')).rejects.toMatchObject({ code: 'BACKEND_FORBIDDEN' })
  // Callers hear of it over a connection.
  await wait(0)
  const again = set('two', '9.9.9.10:443')
  slow.resolve()
  await again
  // As long as a removal takes that would come now.
  await wait(200)
  expect(names()).toEqual(['two'])
})

test('one that cannot be removed holds up no other, and is removed once it can be', async () => {
  const { start } = await rebooted({ within: 0.1, thenDrop: 0.1 }, 'one', 'two', 'three')
  let full = true
  const { engine, names } = await start((state) => {
    state.refuse = (change) => ('remove' in change && full ? new Error('not now') : undefined)
  })
  await vi.waitFor(() => expect(engine.state.changes.length).toBeGreaterThan(3), 20_000)
  expect(names()).toEqual(['one', 'three', 'two'])
  full = false
  await vi.waitFor(() => expect(names()).toEqual([]), 20_000)
})

test('a restart of the gateway alone makes nothing provisional, and forgets nobody who is', async () => {
  const { start } = await rebooted({ within: 60 }, 'one', 'two')
  const first = await start()
  await first.set('one')
  await first.close()
  const second = await start()
  await expect(second.set('one', '10.0.0.1:443')).rejects.toThrow()
  await expect(second.set('two', '10.0.0.1:443')).rejects.toThrow()
  await vi.waitFor(() => expect(second.names()).toEqual(['one']), 5_000)
})

test('a gateway that was killed meanwhile is not sure of anybody, and so removes nobody; until the next boot', async () => {
  const kept = new Map<string, Uint8Array>()
  const state = {
    get: (key: string) => kept.get(key),
    set: async (key: string, value: Uint8Array | null) => void kept.set(key, value ?? Buffer.of()),
  }
  const all = () => [parseId('1-1-one')]
  const begin = async (boot: string) => {
    const { unsure, waiting } = await keeper(state).begin(boot, 1_000, all)
    return [unsure, waiting.size]
  }
  expect(await begin('first')).toEqual([false, 0])
  expect(await begin('second')).toEqual([false, 1])
  expect(await begin('second')).toEqual([true, 1])
  expect(await begin('third')).toEqual([false, 1])
})

test('the first start of all makes nothing provisional', async () => {
  const { start } = machine({ within: 0.1, thenDrop: 0.1 })
  const { set, names } = await start()
  await set('one')
  await expect(set('one', '10.0.0.1:443')).rejects.toThrow()
  expect(names()).toEqual(['one'])
})

test('where nothing tells one boot from another nothing is provisional', async () => {
  const { start } = machine({ bootId: '/nowhere/boot_id' })
  const { set, names } = await start()
  await set('one')
  expect(names()).toEqual(['one'])
})

test.for<AfterRebootOptions>([{ within: 0 }, { thenDrop: 0 }, { bootId: '' }])('refuses %o where it is written', (options) =>
  expect(() => afterReboot(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' })),
)
