import { expect, it, onTestFinished } from 'vitest'
import { createGateway, definePlugin, type GatewayConfig, type Plugin } from '../../../../core/index.ts'
import { processes } from '../../../../plugins/service/processes/index.ts'
import { memory } from '../../../../plugins/store/memory/index.ts'
import { isRunning } from '../../../kit/kept.ts'
import { marked, ownRoot, patience, runs, sleeper } from './parts.ts'

const stand = async (plugins: readonly Plugin[]) => {
  const root = ownRoot()
  const store = memory()
  const now = { plugins }
  const source = async (): Promise<GatewayConfig> => ({ plugins: [store, ...now.plugins] })
  const gateway = await createGateway(await source(), { root, source })
  onTestFinished(() => gateway.close())
  const reload = (next: readonly Plugin[]) => {
    now.plugins = next
    return gateway.reload()
  }
  const pid = (name = 'kept') => marked(root, `${name}:`)[0] ?? 0
  return { root, gateway, reload, pid }
}
const keep = (more = {}) => sleeper('kept', { keep: true, ...more })

it('hands a child over when a reload replaces its plugin, or the supervisor itself', async () => {
  const { reload, pid, gateway, root } = await stand([processes(), runs(keep(), 1)])
  const before = pid()
  const other = runs(keep(), 2)
  await reload([processes(), other])
  expect([pid(), other.running.now?.adopted]).toEqual([before, true])
  const third = runs(keep(), 2)
  await reload([processes({ leftoverSeconds: 7 }), third])
  expect([pid(), third.running.now?.adopted]).toEqual([before, true])
  await expect.poll(() => third.running.now?.status(), patience).toMatchObject({ state: 'up', pid: before, restarts: 0 })
  expect(gateway.status().plugins).toContainEqual({
    name: 'service/processes',
    state: 'ok',
    facts: { kept: `up, pid ${before}` },
  })
  expect(marked(root)).toEqual([before])
})

it('puts another child in its place where a reload changes its arguments', async () => {
  const { root, reload, pid } = await stand([processes(), runs(keep())])
  const before = pid()
  await reload([processes(), runs(keep({ args: ['2000'] }))])
  await expect.poll(() => pid() !== before && pid() !== 0, patience).toBe(true)
  expect(isRunning(before)).toBe(false)
  expect(marked(root)).toHaveLength(1)
})

it('goes on with the old child where a reload fails', async () => {
  const { reload, pid } = await stand([processes(), runs(keep(), 1)])
  const before = pid()
  const broken = definePlugin({
    name: 'service/broken',
    kind: 'service',
    setup: () => {
      throw new Error('no')
    },
  })
  await expect(reload([processes(), runs(keep(), 2), broken])).rejects.toThrow('no')
  expect(pid()).toBe(before)
})

it('ends a kept child whose plugin a reload takes out, and leaves it where the gateway ends', async () => {
  const { reload, pid, gateway } = await stand([processes(), runs(keep()), runs(sleeper('other', { keep: true }))])
  const [kept, other] = [pid(), pid('other')]
  await reload([processes(), runs(sleeper('other', { keep: true }))])
  await expect.poll(() => isRunning(kept), patience).toBe(false)
  expect(isRunning(other)).toBe(true)
  await gateway.close()
  expect(isRunning(other)).toBe(true)
})

it('leaves a kept child where the gateway does not come up', async () => {
  const root = ownRoot()
  const first = await createGateway({ plugins: [memory(), processes(), runs(keep())] }, { root })
  await first.close()
  const [pid = 0] = marked(root)
  const broken = definePlugin({ name: 'service/broken', kind: 'service', setup: () => Promise.reject(new Error('no')) })
  await expect(createGateway({ plugins: [memory(), processes(), runs(keep()), broken] }, { root })).rejects.toThrow('no')
  expect(isRunning(pid)).toBe(true)
})

it('shows in status what is not up and why, and what it is tried for', async () => {
  const failing = sleeper('failing', {
    command: 'sh',
    args: ['-c', 'echo port 53 is taken >&2; exit 7'],
    probe: async () => false,
  })
  const { gateway } = await stand([processes(), runs(failing)])
  const state = () => gateway.status().plugins.find(({ name }) => name === 'service/processes')
  await expect
    .poll(state, patience)
    .toMatchObject({ state: 'degraded', reason: 'failing is not up: exit code 7: port 53 is taken' })
})
