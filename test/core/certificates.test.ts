import { describe, expect, test, vi } from 'vitest'
import { type Certificate, definePlugin, type GatewayError, type Hooks } from '../../core/index.ts'
import { memory } from '../../plugins/store/memory/index.ts'
import { issue, labelOf } from './issued.ts'
import { anyHost, remove, set, start, tableEngine } from './parts.ts'

const day = 86_400_000
/** A resolver of one shared certificate, whose answers the test decides. */
const resolver = (options: Partial<Hooks['resolver']> = {}, days = 90) => {
  const asked: (Certificate | undefined)[] = []
  const state = { asked, fail: undefined as Error | undefined }
  const plugin = definePlugin({
    name: 'resolver/shared',
    kind: 'resolver',
    setup: ({ refresh }) => {
      Object.assign(state, { refresh })
      return {
        plan: () => ({ mode: 'terminate' as const, resolver: 'shared', names: ['*.example.org'] }),
        obtain: async (names: readonly string[], _: AbortSignal, replaces?: Certificate): Promise<Certificate> => {
          asked.push(replaces)
          if (state.fail) throw state.fail
          return issue(names, `chain ${asked.length}`, { notAfter: new Date(Date.now() + days * day) })
        },
        ...options,
      }
    },
  })
  return { plugin, state }
}

describe('certificates', () => {
  test('one is obtained for many routes, served, kept in use, and renewed on demand with the one it replaces', async () => {
    const [engine, { plugin, state }] = [tableEngine(), resolver()]
    const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
    await Promise.all([1, 2, 3].map((n) => gateway.dispatch(set(`w${n}`, `w${n}.example.org`), { wait: 'live' })))
    expect(state.asked).toHaveLength(1)
    expect(engine.state.certificates.map(labelOf)).toEqual(['chain 1'])
    const [listed] = gateway.certificates.list()
    expect(listed).toMatchObject({ state: 'ready', users: 3, names: ['*.example.org'], resolver: 'shared' })
    const life = (listed?.next?.getTime() ?? 0) - Date.now()
    expect(life / day).toBeGreaterThan(54)
    expect(life / day).toBeLessThan(61)
    await gateway.certificates.renew(listed?.id ?? '')
    expect(state.asked.flatMap((one) => one ?? []).map(labelOf)).toEqual(['chain 1'])
    expect(engine.state.certificates.map(labelOf)).toEqual(['chain 2'])
    await gateway.dispatch(remove('w1'))
    expect(gateway.certificates.list()[0]).toMatchObject({ users: 2 })
    await gateway.close()
  })

  test('an instant one is there before the Set answers', async () => {
    const [engine, { plugin }] = [tableEngine(), resolver({ pace: 'instant' })]
    const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
    await gateway.dispatch(set('a', 'a.example.org'))
    expect(engine.state.certificates).toHaveLength(1)
    await gateway.close()
  })

  test('a failure leaves what is served, says why and when it is tried again, later each time', async () => {
    const [engine, { plugin, state }] = [tableEngine(), resolver()]
    const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
    await gateway.dispatch(set('a', 'a.example.org'), { wait: 'live' })
    const id = gateway.certificates.list()[0]?.id ?? ''
    state.fail = new Error('the CA is away')
    const waits: number[] = []
    for (let n = 0; n < 5; n++) {
      await expect(gateway.certificates.renew(id)).rejects.toMatchObject({ code: 'CERT_PENDING' } satisfies Partial<GatewayError>)
      waits.push(Math.floor(((gateway.certificates.list()[0]?.next?.getTime() ?? 0) - Date.now() + 1000) / 60_000))
    }
    expect(gateway.certificates.list()[0]).toMatchObject({ state: 'ready', error: 'the CA is away' })
    expect(engine.state.certificates.map(labelOf)).toEqual(['chain 1'])
    expect(waits[0]).toBe(1)
    for (const [index, least] of [1, 10, 100, 1440, 1440].entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(least)
      expect(waits[index]).toBeLessThanOrEqual(least * 1.1 + 1)
    }
    await gateway.close()
  })

  test('is pruned a week after its last workload is gone, and not before', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] })
    try {
      const [engine, { plugin }] = [tableEngine(), resolver()]
      const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
      await gateway.dispatch(set('a', 'a.example.org'), { wait: 'live' })
      await gateway.dispatch(remove('a'))
      await vi.advanceTimersByTimeAsync(6 * day)
      expect(engine.state.certificates).toHaveLength(1)
      await vi.advanceTimersByTimeAsync(1.1 * day)
      await vi.waitFor(() => expect(engine.state.certificates).toHaveLength(0))
      expect(gateway.certificates.list()).toEqual([])
      await gateway.close()
    } finally {
      vi.useRealTimers()
    }
  })
})
