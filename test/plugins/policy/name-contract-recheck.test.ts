import { once } from 'node:events'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createGateway, definePlugin, Neighbours, parseOperation } from '../../../core/index.ts'
import { memory, nameContract, nameProxy, staticNode, tlsPassthrough } from '../../../plugins/index.ts'
import { tableEngine } from '../../core/parts.ts'
import { tempRoot } from '../../kit/index.ts'

/** A chain that has every name for twin 26, until it is told otherwise; what it was asked, and when. */
const chain = () => {
  const state = {
    held: true,
    /** provisiond answers only when it is told to stop. */
    silent: false,
    asked: [] as { method: string; args: readonly unknown[]; timeout: number | undefined; at: number }[],
  }
  const api: Neighbours = {
    async call(_, __, method, args, { timeout, signal }) {
      state.asked.push({ method, args, timeout, at: performance.now() })
      const ok = { Err: null, Code: 0n }
      if (method === 'GetContractIDByNameRegistration') return { value: [4711n, ok] }
      if (method === 'GetContract') return { value: [{ State: { IsCreated: state.held }, TwinID: 26n }, ok] }
      if (state.silent) await once(signal, 'abort')
      return { value: null }
    },
  }
  const plugin = definePlugin({
    name: 'service/chain',
    kind: 'service',
    provides: { neighbours: Neighbours },
    setup: () => ({ api: { neighbours: api } }),
  })
  return { state, plugin }
}

const gateway = async (recheck: number) => {
  const { state, plugin } = chain()
  const root = tempRoot()
  const running = await createGateway(
    {
      plugins: [
        staticNode({ ipv4: '127.0.0.1', domain: 'gent01.grid.tf' }),
        nameProxy(),
        tlsPassthrough(),
        plugin,
        nameContract({ recheck }),
        memory(),
        tableEngine().plugin,
      ],
    },
    { root: root.path },
  )
  onTestFinished(async () => {
    await running.close()
    await root.remove()
  })
  const set = (name: string) =>
    running.dispatch(
      parseOperation({ do: 'set-name', id: `26-1-${name}`, name, backends: ['192.0.2.7:443'], passthrough: true }) as never,
    )
  return { state, set }
}
const patience = { timeout: 20_000 }
const questions = (state: ReturnType<typeof chain>['state'], method: string) => state.asked.filter((one) => one.method === method)

it('spreads a round over its period: no two names at once', async () => {
  const { state, set } = await gateway(2)
  for (const name of ['a', 'b', 'c', 'd']) await set(name)
  const before = state.asked.length
  const again = () => questions({ ...state, asked: state.asked.slice(before) }, 'GetContractIDByNameRegistration')
  await vi.waitFor(() => expect(new Set(again().map(({ args }) => args[0])).size).toBe(4), patience)
  const times = again().map(({ at }) => at)
  for (const [index, at] of times.entries()) if (index > 0) expect(at - (times[index - 1] ?? 0)).toBeGreaterThan(250)
})

it('gives provisiond three minutes to take a lost name away, and the chain ten seconds for each answer', async () => {
  const { state, set } = await gateway(0.2)
  await set('shop')
  state.held = false
  await vi.waitFor(() => expect(questions(state, 'DecommissionCached').length).toBeGreaterThan(0), patience)
  const [told] = questions(state, 'DecommissionCached')
  expect(told).toMatchObject({
    timeout: 180_000,
    args: ['26-1-shop', 'the name contract must be in Created or GracePeriod state'],
  })
  expect(new Set(questions(state, 'GetContract').map(({ timeout }) => timeout))).toEqual(new Set([10_000]))
})

it('checks the other names on while provisiond is silent about one, and hands each to it once at a time', async () => {
  const { state, set } = await gateway(0.2)
  for (const name of ['a', 'b', 'c']) await set(name)
  Object.assign(state, { held: false, silent: true })
  const told = () => questions(state, 'DecommissionCached').map(({ args }) => args[0])
  await vi.waitFor(() => expect(new Set(told()).size).toBe(3), patience)
  const before = questions(state, 'GetContract').length
  await vi.waitFor(() => expect(questions(state, 'GetContract').length).toBeGreaterThan(before + 6), patience)
  expect(told().sort()).toEqual(['26-1-a', '26-1-b', '26-1-c'])
})
