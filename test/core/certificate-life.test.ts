import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Certificate, definePlugin, GatewayError, type Hooks, type Logged, type RunningGateway } from '../../core/index.ts'
import { memory } from '../../plugins/store/memory/index.ts'
import { issue, labelOf } from './issued.ts'
import { anyHost, remove, set, start, tableEngine } from './parts.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** A CA whose answers the test decides: one certificate for each host. */
const authority = ({ days = 90, ...hooks }: Partial<Hooks['resolver']> & { days?: number } = {}) => {
  const orders: { at: number; name: string; replaces: Certificate | undefined }[] = []
  const state = { orders, fail: undefined as Error | undefined, revoked: [] as string[] }
  const plugin = definePlugin({
    name: 'resolver/ca',
    kind: 'resolver',
    setup: () => ({
      plan: ({ host }) => ({ mode: 'terminate' as const, resolver: 'ca', names: [host] }),
      queues: true,
      obtain: async (names: readonly string[], _: AbortSignal, replaces?: Certificate): Promise<Certificate> => {
        orders.push({ at: Date.now(), name: names[0] ?? '', replaces })
        if (state.fail) throw state.fail
        const life = { notBefore: new Date(), notAfter: new Date(Date.now() + days * day) }
        return issue(names, `chain ${orders.length}`, life)
      },
      revoke: async (certificate: Certificate) => void state.revoked.push(labelOf(certificate) ?? ''),
      ...hooks,
    }),
  })
  return { plugin, state }
}

/** Certificates of the local CA, to be served meanwhile. */
const local = () =>
  definePlugin({
    name: 'resolver/local',
    kind: 'resolver',
    setup: () => ({
      pace: 'instant' as const,
      plan: () => undefined,
      obtain: async (names: readonly string[]): Promise<Certificate> => {
        const life = { notBefore: new Date(), notAfter: new Date(Date.now() + 90 * day) }
        return issue(names, 'local chain', life)
      },
    }),
  })

/** All that a gateway tells, from now on. */
const told = (gateway: RunningGateway): Logged[] => {
  const events: Logged[] = []
  const read = async () => {
    for await (const event of gateway.events()) events.push(event)
  }
  void read()
  return events
}
const run = (time: number) => vi.advanceTimersByTimeAsync(time)

// A simulated month is half a million sweeps.
vi.setConfig({ testTimeout: 240_000 })
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval', 'performance'] }))
afterEach(() => void vi.useRealTimers())

describe('a CA that gives nothing', () => {
  for (const [what, error] of Object.entries({
    'is down': new GatewayError('CA_UNREACHABLE', 'it is away', 'wait'),
    'limits without a time': new GatewayError('CA_LIMIT', 'too many', 'wait'),
    'answers with nonsense': new SyntaxError('Unexpected end of JSON input'),
  }))
    test(`fault 17: one that ${what} gets at most 33 orders a name over 30 days`, async () => {
      const [engine, { plugin, state }] = [tableEngine(), authority()]
      state.fail = error
      const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
      await gateway.dispatch(set('a', 'a.example.org'))
      for (let hours = 0; hours < 30 * 24; hours++) await run(hour)
      expect(state.orders.length).toBeGreaterThan(25)
      expect(state.orders.length).toBeLessThanOrEqual(33)
      expect(gateway.certificates.list()[0]).toMatchObject({ state: 'failed', next: expect.any(Date), fix: expect.any(String) })
      await gateway.close()
    })

  test('fault 17: what is served stays the same to its end and is renewed when the CA is back', async () => {
    const [engine, { plugin, state }] = [tableEngine(), authority({ days: 12 })]
    const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
    await gateway.dispatch(set('a', 'a.example.org'), { wait: 'live' })
    state.fail = new GatewayError('CA_UNREACHABLE', 'it is away', 'wait')
    for (let hours = 0; hours < 10 * 24; hours++) await run(hour)
    expect(engine.state.certificates.map(labelOf)).toEqual(['chain 1'])
    expect(gateway.certificates.list()[0]).toMatchObject({ state: 'ready', code: 'CA_UNREACHABLE' })
    state.fail = undefined
    for (let hours = 0; hours < 27; hours++) await run(hour)
    await vi.waitFor(() => expect(engine.state.certificates.map(labelOf)[0]).toBe(`chain ${state.orders.length}`))
    expect(gateway.certificates.list()[0]?.code).toBeUndefined()
    await gateway.close()
  })

  test('one that says when to come back is not asked before', async () => {
    const [engine, { plugin, state }] = [tableEngine(), authority()]
    state.fail = new GatewayError('CA_LIMIT', 'too many', 'wait', { retryAt: new Date(Date.now() + 5 * hour) })
    const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
    await gateway.dispatch(set('a', 'a.example.org'))
    await run(5 * hour - minute)
    expect(state.orders).toHaveLength(1)
    state.fail = undefined
    await run(2 * minute)
    expect(state.orders).toHaveLength(2)
    await vi.waitFor(() => expect(engine.state.certificates).toHaveLength(1))
    await gateway.close()
  })
})

describe('renewal', () => {
  for (const days of [6, 45, 90])
    test(`of a certificate of ${days} days comes when a third of its life is left, with the one that it replaces`, async () => {
      const [engine, { plugin, state }] = [tableEngine(), authority({ days })]
      const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
      await gateway.dispatch(set('a', 'a.example.org'), { wait: 'live' })
      // Several of the short one, to see that it goes on.
      const renewals = days < 10 ? 3 : 1
      while (state.orders.length < 1 + renewals) await run(hour)
      const times = state.orders.map(({ at }) => at)
      for (const [at, time] of times.slice(1).entries()) {
        const share = (time - (times[at] ?? 0)) / (days * day)
        expect(share).toBeGreaterThan(0.62)
        expect(share).toBeLessThan(0.68)
      }
      expect([state.orders.at(-1)?.replaces].flatMap((one) => one ?? []).map(labelOf)).toEqual([`chain ${renewals}`])
      await gateway.close()
    })

  test('comes when the CA says, which is asked again every few hours', async () => {
    let at = new Date(Date.now() + 50 * day)
    const asked: number[] = []
    const renewAt = () => {
      asked.push(Date.now())
      return at
    }
    const [engine, { plugin, state }] = [tableEngine(), authority({ renewAt })]
    const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
    await gateway.dispatch(set('a', 'a.example.org'), { wait: 'live' })
    await run(10 * 1_000)
    expect(gateway.certificates.list()[0]?.next).toEqual(at)
    await run(day)
    expect(asked.length).toBeGreaterThanOrEqual(4)
    expect(asked.length).toBeLessThanOrEqual(6)
    expect(state.orders).toHaveLength(1)
    await run(2 * day)
    at = new Date(Date.now() - minute)
    await run(7 * hour)
    expect(state.orders).toHaveLength(2)
    await gateway.close()
  })

  test('is no loop where a CA says now of every certificate', async () => {
    const [engine, { plugin, state }] = [tableEngine(), authority({ renewAt: () => new Date() })]
    const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
    await gateway.dispatch(set('a', 'a.example.org'), { wait: 'live' })
    for (let hours = 0; hours < 30 * 24; hours++) await run(hour)
    expect(state.orders.length).toBeLessThanOrEqual(33)
    await gateway.close()
  })

  test('falls back to the rule where the CA cannot say when', async () => {
    const renewAt = () => Promise.reject(new Error('it is away'))
    const [engine, { plugin, state }] = [tableEngine(), authority({ renewAt })]
    const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
    await gateway.dispatch(set('a', 'a.example.org'), { wait: 'live' })
    await run(10 * 1_000)
    const { next, error } = gateway.certificates.list()[0] ?? {}
    expect(((next?.getTime() ?? 0) - Date.now()) / day).toBeCloseTo(59, -1)
    expect(error).toBeUndefined()
    expect(state.orders).toHaveLength(1)
    await gateway.close()
  })
})

describe('fault 31: a clock that is set', () => {
  const many = async (count: number) => {
    const [engine, { plugin, state }] = [tableEngine(), authority()]
    const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
    for (let n = 0; n < count; n++) await gateway.dispatch(set(`w${n}`, `w${n}.example.org`), { wait: 'live' })
    return { gateway, state, events: told(gateway) }
  }

  test('400 days ahead brings no storm of renewals, and an alarm', async () => {
    const { gateway, state, events } = await many(100)
    vi.setSystemTime(Date.now() + 400 * day)
    for (let seconds = 0; seconds < 60; seconds += 10) {
      const before = state.orders.length
      await run(10_000)
      expect(state.orders.length - before).toBeLessThanOrEqual(10)
    }
    expect(state.orders.length).toBeGreaterThan(140)
    expect(events).toContainEqual(expect.objectContaining({ type: 'alarm', code: 'CLOCK_SKEW' }))
    await gateway.close()
  })

  test('months ahead of the CA orders no certificate again and again, and what waits goes by the time that passes', async () => {
    let [orders, ahead] = [0, 400 * day]
    const obtain = async (names: readonly string[]): Promise<Certificate> => {
      orders++
      const now = Date.now() - ahead
      const life = { notBefore: new Date(now), notAfter: new Date(now + 90 * day) }
      return issue(names, `chain ${orders}`, life)
    }
    for (const renewAt of [undefined, async ({ notBefore }: Certificate) => new Date(notBefore.getTime() + 60 * day)]) {
      ;[orders, ahead] = [0, 400 * day]
      const { plugin } = authority({ obtain, ...(renewAt && { renewAt }) })
      const gateway = await start([memory(), anyHost(), plugin, tableEngine().plugin])
      await gateway.dispatch(set('a', 'a.example.org'))
      for (let hours = 0; hours < 24; hours++) await run(hour)
      expect(orders).toBe(1)
      vi.setSystemTime(Date.now() - ahead)
      ahead = 0
      for (let hours = 0; hours < 24; hours++) await run(hour)
      expect(orders).toBe(2)
      for (let hours = 0; hours < 3 * 24; hours++) await run(hour)
      expect(orders).toBe(2)
      await gateway.close()
    }
  })

  test('a day back makes no wait after a failure longer', async () => {
    const { gateway, state } = await many(0)
    state.fail = new GatewayError('CA_UNREACHABLE', 'it is away', 'wait')
    await gateway.dispatch(set('a', 'a.example.org'))
    await run(10_000)
    vi.setSystemTime(Date.now() - day)
    await run(2 * minute)
    expect(state.orders).toHaveLength(2)
    await gateway.close()
  })
})

describe('a certificate', () => {
  test('is revoked behind a new one', async () => {
    const [engine, { plugin, state }] = [tableEngine(), authority()]
    const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
    await gateway.dispatch(set('a', 'a.example.org'), { wait: 'live' })
    await gateway.certificates.revoke(gateway.certificates.list()[0]?.id ?? '')
    expect(state.revoked).toEqual(['chain 1'])
    expect(engine.state.certificates.map(labelOf)).toEqual(['chain 2'])
    await gateway.close()
  })

  test('is revoked and taken away where no new one is to be had', async () => {
    const [engine, { plugin, state }] = [tableEngine(), authority()]
    const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
    await gateway.dispatch(set('a', 'a.example.org'), { wait: 'live' })
    state.fail = new GatewayError('CA_LIMIT', 'too many', 'wait')
    await gateway.certificates.revoke(gateway.certificates.list()[0]?.id ?? '')
    expect(state.revoked).toEqual(['chain 1'])
    expect(engine.state.certificates).toEqual([])
    expect(gateway.certificates.list()[0]).toMatchObject({ state: 'failed', code: 'CA_LIMIT' })
    await gateway.close()
  })

  test('of another resolver is served until the first one is there, where that is wished', async () => {
    const [engine, { plugin, state }] = [tableEngine(), authority({ meanwhile: 'local' })]
    state.fail = new GatewayError('CA_UNREACHABLE', 'it is away', 'wait')
    const gateway = await start([memory(), anyHost(), plugin, local(), engine.plugin])
    await gateway.dispatch(set('a', 'a.example.org'))
    await vi.waitFor(() => expect(engine.state.certificates.map(labelOf)).toEqual(['local chain']))
    expect(gateway.certificates.list()[0]).toMatchObject({ state: 'failed', meanwhile: 'local' })
    state.fail = undefined
    await run(2 * minute)
    await vi.waitFor(() => expect(engine.state.certificates.map(labelOf)).toEqual(['chain 2']))
    expect(gateway.certificates.list()[0]).not.toHaveProperty('meanwhile')
    await gateway.close()
  })

  test('fault 27: of a tenant that left the name is never served for the next one', async () => {
    const [engine, { plugin, state }] = [tableEngine(), authority()]
    const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
    await gateway.dispatch(set('a', 'a.example.org'), { wait: 'live' })
    await gateway.dispatch(remove('a'))
    await gateway.dispatch(set('a', 'a.example.org'), { wait: 'live' })
    expect(state.orders).toHaveLength(1)
    await gateway.dispatch(remove('a'))
    let atHandOver: readonly Certificate[] | undefined
    engine.state.before = async () => {
      atHandOver ??= engine.state.certificates
    }
    await gateway.dispatch(set('b', 'a.example.org'), { wait: 'live' })
    expect(atHandOver).toEqual([])
    expect(state.orders[1]?.replaces).toBeUndefined()
    expect(engine.state.certificates.map(labelOf)).toEqual(['chain 2'])
    await gateway.close()
  })

  test('that is being obtained for a Set is not dropped for want of a workload meanwhile', async () => {
    const given = Promise.withResolvers<void>()
    const made: string[] = []
    const obtain = async (names: readonly string[]): Promise<Certificate> => {
      await given.promise
      made.push(...names)
      const life = { notBefore: new Date(), notAfter: new Date(Date.now() + 90 * day) }
      return issue(names, `chain ${made.length}`, life)
    }
    const [engine, { plugin }] = [tableEngine(), authority({ pace: 'instant', obtain })]
    const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
    const answer = gateway.dispatch(set('a', 'a.example.org'))
    await run(12_000)
    given.resolve()
    await answer
    expect(engine.state.certificates.map(labelOf)).toEqual(['chain 1'])
    expect(made).toEqual(['a.example.org'])
    await gateway.close()
  })

  test('says why it is here, with its last workload gone as well', async () => {
    const [engine, { plugin }] = [tableEngine(), authority()]
    const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
    await gateway.dispatch(set('a', 'a.example.org'), { wait: 'live' })
    expect(gateway.certificates.list()[0]?.why).toBe('one workload uses it')
    await gateway.dispatch(remove('a'))
    expect(gateway.certificates.list()[0]?.why).toMatch(/^no workload uses it; kept until 20/)
    await gateway.close()
  })

  test('fault 9: that the store cannot take is served, ordered once, and stored when it can', async () => {
    const [engine, { plugin, state }] = [tableEngine(), authority()]
    const written: string[] = []
    let full = false
    const store = definePlugin({
      name: 'store/full',
      kind: 'store',
      setup: () => ({
        load: () => ({ routes: [], certificates: [], bytes: new Map(), state: new Map() }),
        commit: async (writes) => {
          const certificates = writes.flatMap((write) => ('certificate' in write ? [labelOf(write.certificate) ?? ''] : []))
          if (full && certificates.length > 0) throw new Error('no space left')
          written.push(...certificates)
        },
      }),
    })
    const gateway = await start([store, anyHost(), plugin, engine.plugin])
    full = true
    await gateway.dispatch(set('a', 'a.example.org'), { wait: 'live' })
    await run(10 * minute)
    expect(engine.state.certificates).toHaveLength(1)
    expect(gateway.certificates.list()[0]).toMatchObject({ state: 'ready', code: 'STORAGE' })
    full = false
    await run(10_000)
    expect(written).toEqual(['chain 1'])
    expect(state.orders).toHaveLength(1)
    expect(gateway.certificates.list()[0]).not.toHaveProperty('code')
    await gateway.close()
  })
})
