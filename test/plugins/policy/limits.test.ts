import { describe, expect, onTestFinished, test } from 'vitest'
import { createGateway, type Plugin, parseOperation } from '../../../core/index.ts'
import { fqdnProxy, type LimitsOptions, limits, memory, staticNode } from '../../../plugins/index.ts'
import { anyTls, tableEngine } from '../../core/parts.ts'
import { tempRoot } from '../../kit/index.ts'

const gateway = async (options: LimitsOptions, more: Plugin[] = []) => {
  const engine = tableEngine()
  const root = tempRoot()
  const running = await createGateway(
    {
      plugins: [
        memory(),
        staticNode({ ipv4: '198.51.100.7', domain: 'gw.example.org' }),
        fqdnProxy(),
        anyTls(),
        limits(options),
        engine.plugin,
        ...more,
      ],
    },
    { root: root.path },
  )
  onTestFinished(async () => {
    await running.close()
    await root.remove()
  })
  return { running, engine: engine.state }
}
const set = (id: string) => parseOperation({ do: 'set-fqdn', id, fqdn: `w${id}.example.org`, backends: ['http://10.0.0.1:80'] })
const remove = (id: string) => parseOperation({ do: 'delete', id })
const codes = (outcomes: readonly PromiseSettledResult<unknown>[]) =>
  outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'ok' : outcome.reason.code))
const count = (all: readonly string[], code: string) => all.filter((each) => each === code).length

describe('workloads of one tenant', () => {
  test('are no more than allowed, also where many are set at once, and a plan says so beforehand', async () => {
    const { running, engine } = await gateway({ routes: 5 })
    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, (_, n) => running.dispatch(set(`7-${n}-w`))))
    expect(count(codes(outcomes), 'ok')).toBe(5)
    expect(count(codes(outcomes), 'LIMIT')).toBe(35)
    expect(engine.served.size).toBe(5)
    const late = set('7-99-w')
    if (late.do !== 'set-fqdn') throw new Error('unreachable')
    const { problems } = await running.plan(late)
    expect(problems).toMatchObject([
      {
        code: 'LIMIT',
        message: 'tenant 7 has 5 workloads, as many as one may have',
        fix: expect.stringContaining('delete some'),
      },
    ])
    expect((await running.dispatch(set('8-1-w'))) && engine.served.size).toBe(6)
  })

  test('can be changed when there are as many as allowed, and one that is deleted makes room', async () => {
    const { running } = await gateway({ routes: 1 })
    await running.dispatch(set('7-1-w'))
    await running.dispatch(set('7-1-w'))
    await expect(running.dispatch(set('7-2-w'))).rejects.toMatchObject({ code: 'LIMIT' })
    await running.dispatch(remove('7-1-w'))
    await running.dispatch(set('7-2-w'))
    expect(running.routes.count('7')).toBe(1)
  })

  test('a place that a failed Set had is free again', async () => {
    const { running, engine } = await gateway({ routes: 1 })
    engine.refuse = () => new Error('not today')
    await expect(running.dispatch(set('7-1-w'))).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
    engine.refuse = () => undefined
    await running.dispatch(set('7-2-w'))
    expect(running.routes.count('7')).toBe(1)
  })
})

describe('operations of one tenant', () => {
  test('beyond its share wait in their order, beyond what can wait are refused with when to ask again', async () => {
    const { running } = await gateway({ operations: 20, burst: 10, wait: 1 })
    const done: number[] = []
    const outcomes = await Promise.allSettled(
      Array.from({ length: 100 }, async (_, n) => {
        await running.dispatch(set(`7-${n}-w`))
        done.push(n)
      }),
    )
    const all = codes(outcomes)
    // Ten at once, and a second's worth that waits.
    expect(count(all, 'ok')).toBeGreaterThanOrEqual(29)
    expect(count(all, 'ok')).toBeLessThanOrEqual(70)
    expect(count(all, 'LIMIT')).toBe(100 - count(all, 'ok'))
    expect(done).toEqual([...done].sort((a, b) => a - b))
    const refused = outcomes.find((outcome) => outcome.status === 'rejected')
    expect(refused?.reason).toMatchObject({
      message: expect.stringContaining('tenant 7'),
      fix: expect.stringMatching(/^ask again in \d+ s/),
      retryAt: expect.any(Date),
    })
  })

  test('keep nobody else waiting', async () => {
    const { running } = await gateway({ operations: 1, burst: 5, wait: 40 })
    const noisy = Promise.allSettled(Array.from({ length: 40 }, (_, n) => running.dispatch(set(`7-${n}-w`))))
    for (const tenant of [8, 9, 10]) await running.dispatch(set(`${tenant}-1-w`))
    expect(running.routes.count('7')).toBeLessThan(40)
    // A gateway that stops holds nobody back.
    await running.close()
    expect(count(codes(await noisy), 'ok')).toBe(40)
  })

  test('run only so many at once', async () => {
    const { running, engine } = await gateway({ parallel: 3, operations: 1_000 })
    const hold = Promise.withResolvers<void>()
    engine.before = () => hold.promise
    const noisy = Array.from({ length: 20 }, (_, n) => running.dispatch(set(`7-${n}-w`)))
    const other = running.dispatch(set('8-1-w'))
    await expect.poll(() => engine.underWay).toBe(4)
    expect(engine.changes).toHaveLength(4)
    hold.resolve()
    await Promise.all([...noisy, other])
    expect(running.routes.size).toBe(21)
  })

  test('that wait when the plugin is taken away begin at once', async () => {
    const engine = tableEngine()
    const root = tempRoot()
    const basics = [memory(), fqdnProxy(), staticNode({ ipv4: '198.51.100.7', domain: 'g.example.org' }), anyTls(), engine.plugin]
    const running = await createGateway(
      { plugins: [...basics, limits({ operations: 0.05, burst: 1, wait: 40 })] },
      { root: root.path, source: async () => ({ plugins: basics }) },
    )
    onTestFinished(running.close)
    await running.dispatch(set('7-1-w'))
    const waits = running.dispatch(set('7-2-w'))
    await running.reload()
    await waits
    expect(running.routes.size).toBe(2)
  })
})

test.each([{ routes: -1 }, { operations: 0 }, { burst: 0.5 }, { parallel: 0 }, { wait: 41 }, { routes: Number.NaN }])(
  'limits(%o) is refused',
  (options) => {
    expect(() => limits(options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  },
)
