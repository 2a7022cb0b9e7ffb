import { describe, expect, test } from 'vitest'
import { definePlugin, type Plugin, type WorkloadId } from '../../core/index.ts'
import { level } from '../../plugins/store/level/index.ts'
import { tempRoot } from '../kit/index.ts'
import { anyHost, anyTls, remove, set, start, tableEngine } from './parts.ts'

const hosts = (engine: ReturnType<typeof tableEngine>) =>
  [...engine.state.served.values()].map(({ id, host }) => `${id} ${host}`).sort()

describe('a restart', () => {
  test('serves what was set and nothing that was deleted', async () => {
    const root = tempRoot().path
    const first = await start([level(), anyHost(), anyTls(), tableEngine().plugin], { root })
    await Promise.all(
      [set('a', 'a.example.org'), set('b', 'b.example.org'), set('c', 'c.example.org')].map((op) => first.dispatch(op)),
    )
    await first.dispatch(remove('b'))
    await first.dispatch(set('c', 'd.example.org'))
    await first.close()
    const engine = tableEngine()
    const second = await start([level(), anyHost(), anyTls(), engine.plugin], { root })
    expect(hosts(engine)).toEqual(['a a.example.org', 'c d.example.org'])
    expect(second.routes.get('c' as WorkloadId)).toMatchObject({ host: 'd.example.org', backends: ['http://10.0.0.1:80'] })
    await second.close()
  })

  test('asks the resolvers of now, and keeps what none of them takes without serving it', async () => {
    const root = tempRoot().path
    const first = await start([level(), anyHost(), anyTls('one'), tableEngine().plugin], { root })
    await first.dispatch(set('a', 'a.example.org'))
    await first.close()

    const bare = tableEngine()
    const without = await start([level(), anyHost(), bare.plugin], { root })
    expect(hosts(bare)).toEqual([])
    const alarms = []
    for await (const event of without.events(0)) if (event.type === 'alarm' && alarms.push(event)) break
    expect(alarms[0]).toMatchObject({ message: expect.stringContaining('workload a (a.example.org)') })
    await without.close()

    const other = tableEngine()
    const second = await start([level(), anyHost(), anyTls('two'), other.plugin], { root })
    expect(other.state.served.get('a' as WorkloadId)?.tls).toMatchObject({ resolver: 'two' })
    await second.close()
  })

  test('never hands the engine a workload whose private network cannot be reached; a Set mends that', async () => {
    const root = tempRoot().path
    const network = { up: true, released: [] as string[] }
    const reach = definePlugin({
      name: 'reach/some',
      kind: 'reach',
      setup: () => ({
        reach: () => {
          if (!network.up) throw new Error('the network is down')
          return ['http://127.0.0.1:20000']
        },
        release: (id) => void network.released.push(id),
      }),
    })
    const plugins = () => [level(), anyHost(), anyTls(), reach]
    const op = { ...set('1-1-a', 'a.example.org'), network: 'net' }
    const first = await start([...plugins(), tableEngine().plugin], { root })
    await first.dispatch(op)
    await first.close()

    network.up = false
    const engine = tableEngine()
    const second = await start([...plugins(), engine.plugin], { root })
    expect([hosts(engine), second.routes.size]).toEqual([[], 1])
    await expect(second.dispatch(op)).rejects.toThrow('the network is down')
    await expect(second.dispatch(set('1-1-b', 'a.example.org'))).rejects.toMatchObject({ code: 'DOMAIN_TAKEN' })
    network.up = true
    await second.dispatch(op)
    expect(engine.state.served.get('1-1-a' as WorkloadId)).toMatchObject({ via: ['http://127.0.0.1:20000'] })
    await second.dispatch(remove('1-1-a'))
    expect(network.released).toEqual(['1-1-a'])
    await second.close()
  })

  test('numbers events upwards', async () => {
    const root = tempRoot().path
    const plugins = () => [level(), anyHost(), anyTls(), tableEngine().plugin]
    const last = async () => {
      const gateway = await start(plugins(), { root })
      const seen: number[] = []
      const reading = (async () => {
        for await (const event of gateway.events()) seen.push(event.seq)
      })()
      await gateway.dispatch(set('a', `a${Math.random()}.example.org`))
      await gateway.close()
      await reading
      return seen
    }
    const [first, second] = [await last(), await last()]
    expect(Math.min(...second)).toBeGreaterThan(Math.max(...first))
  })
})

describe('storage that fails', () => {
  test('leaves store and engine as they were, and the caller hears STORAGE', async () => {
    const writes: string[] = []
    let broken = false
    const store: Plugin = definePlugin({
      name: 'store/shaky',
      kind: 'store',
      setup: () => ({
        load: () => ({ routes: [], certificates: [], bytes: new Map(), state: new Map() }),
        commit: async (batch) => {
          if (broken) throw new Error('no space left on device')
          for (const write of batch)
            if ('put' in write || 'remove' in write) writes.push('put' in write ? `put ${write.put.host}` : 'remove')
        },
      }),
    })
    const engine = tableEngine()
    const gateway = await start([store, anyHost(), anyTls(), engine.plugin])
    await gateway.dispatch(set('a', 'a.example.org'))
    broken = true
    await expect(gateway.dispatch(set('a', 'b.example.org'))).rejects.toMatchObject({
      code: 'STORAGE',
      message: expect.stringContaining('no space left'),
    })
    await expect(gateway.dispatch(remove('a'))).rejects.toMatchObject({ code: 'STORAGE' })
    expect(hosts(engine)).toEqual(['a a.example.org'])
    broken = false
    await gateway.close()
    expect(writes.at(-1)).toBe('put a.example.org')
  })

  test('no store at all: a Set is refused, the rest answers', async () => {
    const gateway = await start([anyHost(), anyTls(), tableEngine().plugin])
    await expect(gateway.dispatch(set('a', 'a.example.org'))).rejects.toMatchObject({
      code: 'STORAGE',
      fix: expect.stringContaining('level()'),
    })
    expect((await gateway.plan(set('a', 'a.example.org'))).problems).toEqual([])
    await gateway.close()
  })
})
