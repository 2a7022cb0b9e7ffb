import { describe, expect, test } from 'vitest'
import { definePlugin, type WorkloadId } from '../../core/index.ts'
import { memory } from '../../plugins/store/memory/index.ts'
import { anyHost, basics, remove, set, start, tableEngine } from './parts.ts'

const id = (text: string) => text as WorkloadId

describe('dispatch', () => {
  test('a Set is stored, applied and listed; a Delete takes it away', async () => {
    const { plugin, state } = tableEngine()
    const gateway = await start(basics(plugin))
    const route = await gateway.dispatch(set('a', 'a.example.org'))
    expect(route).toMatchObject({ id: 'a', host: 'a.example.org', tls: { mode: 'terminate' } })
    expect(state.served.get(id('a'))).toBe(route)
    expect(gateway.routes.byHost('a.example.org')).toBe(route)
    await gateway.dispatch(remove('a'))
    expect(state.served.size).toBe(0)
    expect(gateway.routes.size).toBe(0)
    await gateway.dispatch(remove('a'))
    await gateway.close()
  })

  test('the same Set twice answers the same and changes nothing', async () => {
    const { plugin, state } = tableEngine()
    const gateway = await start(basics(plugin))
    const first = await gateway.dispatch(set('a', 'a.example.org'))
    expect(await gateway.dispatch(set('a', 'a.example.org'))).toBe(first)
    expect(state.changes).toHaveLength(1)
    await gateway.close()
  })

  test('routes under one certificate hold one list of its names, however many have one of their own', async () => {
    const wild = definePlugin({
      name: 'resolver/wild',
      kind: 'resolver',
      setup: () => ({
        plan: ({ host }) => ({
          mode: 'terminate' as const,
          resolver: 'wild',
          names: [host.endsWith('.wild.org') ? '*.wild.org' : host],
        }),
      }),
    })
    const gateway = await start([memory(), anyHost(), wild, tableEngine().plugin])
    await Promise.all(Array.from({ length: 1_100 }, (_, n) => gateway.dispatch(set(`a${n}`, `a${n}.example.org`))))
    const [one, two] = [await gateway.dispatch(set('b', 'b.wild.org')), await gateway.dispatch(set('c', 'c.wild.org'))]
    expect(two.tls).toBe(one.tls)
    await gateway.close()
  })

  test('a host has one owner', async () => {
    const { plugin, state } = tableEngine()
    const gateway = await start(basics(plugin))
    const answers = await Promise.allSettled([
      gateway.dispatch(set('a', 'x.example.org')),
      gateway.dispatch(set('b', 'X.example.org.')),
      gateway.dispatch(set('c', 'x.example.org')),
    ])
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    await expect(gateway.dispatch(set('b', 'x.example.org'))).rejects.toMatchObject({ code: 'DOMAIN_TAKEN' })
    expect([...state.served.keys()]).toEqual(['a'])
    await gateway.close()
  })

  test('operations of one host keep the order in which they came', async () => {
    const { plugin, state } = tableEngine()
    const gateway = await start(basics(plugin))
    await gateway.dispatch(set('a', 'x.example.org'))
    const gone = gateway.dispatch(remove('a'))
    const given = gateway.dispatch(set('b', 'x.example.org'))
    const moved = gateway.dispatch(set('b', 'y.example.org'))
    const back = gateway.dispatch(set('a', 'x.example.org'))
    await Promise.all([gone, given, moved, back])
    expect([...state.served.values()].map(({ id, host }) => `${id} ${host}`).sort()).toEqual([
      'a x.example.org',
      'b y.example.org',
    ])
    await gateway.close()
  })

  test('what the engine refuses is back in its earlier state, and the caller hears why', async () => {
    const { plugin, state } = tableEngine()
    const gateway = await start(basics(plugin))
    const first = await gateway.dispatch(set('a', 'a.example.org'))
    state.refuse = (change) =>
      'put' in change && change.put.backends.includes('http://10.9.9.9:80') ? new Error('no such backend') : undefined
    const [bad, good] = await Promise.allSettled([
      gateway.dispatch(set('a', 'a.example.org', 'http://10.9.9.9:80')),
      gateway.dispatch(set('b', 'b.example.org')),
    ])
    expect(bad).toMatchObject({
      status: 'rejected',
      reason: { code: 'ENGINE_UNAVAILABLE', message: expect.stringContaining('no such backend') },
    })
    expect(good.status).toBe('fulfilled')
    expect(gateway.routes.get(id('a'))).toBe(first)
    await gateway.close()
  })

  test('changes that arrive together reach the engine in few turns of the event loop', async () => {
    const { plugin, state } = tableEngine()
    const gateway = await start(basics(plugin))
    await Promise.all(Array.from({ length: 500 }, (_, n) => gateway.dispatch(set(`w${n}`, `w${n}.example.org`))))
    expect(state.served.size).toBe(500)
    expect(state.turns.length).toBeLessThan(50)
    await gateway.close()
  })

  test('a Set past its deadline is rolled back and never applied later', async () => {
    const { plugin, state } = tableEngine()
    const gateway = await start(basics(plugin))
    const { promise, resolve } = Promise.withResolvers<void>()
    state.before = () => promise
    await expect(gateway.dispatch(set('a', 'a.example.org'), { deadline: 0.05 })).rejects.toMatchObject({ code: 'TIMEOUT' })
    state.before = async () => undefined
    resolve()
    await gateway.dispatch(remove('a'))
    expect(state.served.size).toBe(0)
    expect(gateway.routes.size).toBe(0)
    await gateway.close()
  })

  test('a dry run says what a Set would do and does nothing', async () => {
    const { plugin, state } = tableEngine()
    const gateway = await start(basics(plugin))
    await gateway.dispatch(set('a', 'a.example.org'))
    expect(await gateway.plan(set('b', 'b.example.org'))).toMatchObject({ route: { id: 'b' }, problems: [] })
    expect(await gateway.plan(set('b', 'a.example.org'))).toMatchObject({ problems: [{ code: 'DOMAIN_TAKEN' }] })
    expect(state.served.size).toBe(1)
    await gateway.close()
  })

  test('wait: live answers once the engine serves it', async () => {
    const { plugin } = tableEngine()
    const gateway = await start(basics(plugin))
    await expect(gateway.dispatch(set('a', 'a.example.org'), { wait: 'live', deadline: 1 })).rejects.toMatchObject({
      code: 'CERT_PENDING',
    })
    expect(gateway.routes.size).toBe(1)
    await gateway.close()
  })
})
