import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Plugin, Route, Stored, Write } from '../../core/index.ts'
import { type Root, tempRoot } from './root.ts'
import type { StoreModule } from './store/child.ts'
import { describeDisk } from './store/describe-disk.ts'
import { type OpenStore, openStore } from './store/open.ts'
import { certificate, idOf, passthrough, route, sorted } from './store/samples.ts'

export interface StoreSuite {
  /** The store as a config would name it, to be kept in this root. */
  readonly open: (root: string) => Plugin<'store'>
  /**
   * How a process of its own opens the store. With it the suite also proves that all is there after a restart, that a kill -9 loses
   * nothing that was answered, and that two gateways never share a root. Without it the store keeps nothing over a restart.
   */
  readonly disk?: StoreModule
}

/** All that a store must do. Needs vitest; the names of the cases say what is asked. */
export const describeStore = (name: string, { open, disk }: StoreSuite): void => {
  describe(`${name} as a store`, () => {
    let root: Root
    let store: OpenStore
    beforeEach(async () => {
      root = tempRoot('store')
      store = await openStore(open(root.path), root.path)
    })
    afterEach(async () => {
      await store.close()
      await root.remove()
    })
    /** What it has now; where it is on disk, after a restart. */
    const found = async (): Promise<Stored> => {
      if (disk) {
        await store.close()
        store = await openStore(open(root.path), root.path)
      }
      return sorted(await store.load())
    }
    const commit = (...writes: readonly Write[]) => store.commit(writes)

    it('is empty at first', async () => {
      expect(await found()).toEqual({ routes: [], certificates: [], bytes: new Map(), state: new Map() })
      expect(store.events).toEqual([])
    })

    it('gives back everything of a commit as it was', async () => {
      await commit(
        { put: route('40-1976-shop') },
        { put: passthrough },
        { certificate: certificate('c1') },
        { ledger: new Map([[idOf('40-1976-shop'), { request: 1, response: Number.MAX_SAFE_INTEGER }]]) },
        { state: 'resolver/acme/account', value: Uint8Array.of(0, 255, 10, 0) },
      )
      const expected: Stored = {
        routes: [passthrough, route('40-1976-shop')],
        certificates: [certificate('c1')],
        bytes: new Map([[idOf('40-1976-shop'), { request: 1, response: Number.MAX_SAFE_INTEGER }]]),
        state: new Map([['resolver/acme/account', Uint8Array.of(0, 255, 10, 0)]]),
      }
      expect(await found()).toStrictEqual(expected)
    })

    it('keeps every part of a route but what the engine dials through a bridge', async () => {
      const every: Route = route('1-2-a', {
        backends: Array.from({ length: 1_000 }, (_, n) => `http://10.1.${n >> 8}.${n & 255}:80`),
        network: 'net',
        tls: { mode: 'terminate', resolver: 'resolver', names: ['a.example', 'b.example'], challenge: 'http-01' },
      })
      await commit({ put: { ...every, via: ['http://100.127.0.2:80'] } })
      const [back] = (await found()).routes
      expect(back).toStrictEqual(every)
      expect(back).toSatisfy(Object.isFrozen)
    })

    it('takes writes to one key in the order of the commit', async () => {
      await commit(
        { put: route('1-1-a') },
        { remove: route('1-1-a') },
        { put: route('1-1-a', { backends: ['http://10.0.0.2:80'] }) },
      )
      await commit({ put: route('1-2-b') }, { put: route('1-2-b', { host: 'other.example' }) }, { remove: route('1-2-b') })
      await commit({ state: 'k', value: Uint8Array.of(1) }, { state: 'k', value: null }, { state: 'k', value: Uint8Array.of(2) })
      const { routes, state } = await found()
      expect(routes).toStrictEqual([route('1-1-a', { backends: ['http://10.0.0.2:80'] })])
      expect(state).toEqual(new Map([['k', Uint8Array.of(2)]]))
    })

    it('takes commits in the order of the calls, also when nobody waits between them', async () => {
      const calls: Promise<void>[] = []
      for (let n = 0; n < 300; n++) {
        calls.push(commit({ put: route('1-1-a', { backends: [`http://10.0.0.${n % 250}:80`] }) }))
        if (n % 3 === 0) calls.push(commit({ remove: route('1-1-a') }))
        calls.push(commit({ ledger: new Map([[idOf('1-1-a'), { request: n, response: n * 2 }]]) }))
      }
      await Promise.all(calls)
      const { routes, bytes } = await found()
      expect(routes).toStrictEqual([route('1-1-a', { backends: ['http://10.0.0.49:80'] })])
      expect(bytes).toEqual(new Map([['1-1-a', { request: 299, response: 598 }]]))
    })

    it('replaces a route under its id, whatever host it had', async () => {
      await commit({ put: route('1-1-a') })
      await commit({ put: route('1-1-a', { host: 'moved.example' }) })
      expect((await found()).routes).toStrictEqual([route('1-1-a', { host: 'moved.example' })])
    })

    it('lets another workload have a host that became free in the same commit', async () => {
      await commit({ put: route('1-1-a', { host: 'h.example' }) })
      await commit({ remove: route('1-1-a', { host: 'h.example' }) }, { put: route('2-2-b', { host: 'h.example' }) })
      expect((await found()).routes).toStrictEqual([route('2-2-b', { host: 'h.example' })])
      expect(store.events).toEqual([])
    })

    it('removes, drops and forgets what is not there without a complaint, and takes an empty commit', async () => {
      await commit()
      await commit(
        { remove: route('9-9-x') },
        { drop: 'none' },
        { state: 'none', value: null },
        { ledger: new Map([[idOf('9-9-x'), null]]) },
      )
      expect(await found()).toEqual({ routes: [], certificates: [], bytes: new Map(), state: new Map() })
    })

    it('keeps certificates by their id, with their dates to the millisecond', async () => {
      const names = Array.from({ length: 100 }, (_, n) => `host-${n}.example`)
      await commit({ certificate: certificate('a!/ü') }, { certificate: certificate('b') }, { certificate: certificate('c') })
      await commit({ certificate: certificate('b', { names, notAfter: new Date(1_893_456_000_001) }) }, { drop: 'c' })
      const { certificates } = await found()
      expect(certificates).toStrictEqual([
        certificate('a!/ü'),
        certificate('b', { names, notAfter: new Date(1_893_456_000_001) }),
      ])
    })

    it('sets sums, replaces them and forgets them, those of workloads without a route too', async () => {
      const sums = (...of: [string, number | null][]) =>
        commit({ ledger: new Map(of.map(([id, n]) => [idOf(id), n === null ? null : { request: n, response: n + 1 }])) })
      await sums(['1-1-a', 1], ['1-2-b', 2], ['1-3-c', 0])
      await sums(['1-1-a', 10], ['1-2-b', null])
      expect((await found()).bytes).toEqual(
        new Map([
          ['1-1-a', { request: 10, response: 11 }],
          ['1-3-c', { request: 0, response: 1 }],
        ]),
      )
    })

    it('keeps state under any key, empty and large values alike', async () => {
      const large = Uint8Array.from({ length: 4 << 20 }, (_, n) => (n * 31) & 255)
      const keys = ['', 'a', 'a/b', 'a!b', 'Ünïcode 🜁', ' ', 'x'.repeat(1_000)]
      for (const key of keys) await commit({ state: key, value: Buffer.from(key) })
      await commit({ state: 'empty', value: new Uint8Array() }, { state: 'large', value: large })
      const { state } = await found()
      expect(state.size).toBe(keys.length + 2)
      for (const key of keys) expect(Buffer.from(state.get(key) ?? []).toString()).toBe(key)
      expect(state.get('empty')).toHaveLength(0)
      expect(Buffer.compare(state.get('large') ?? Buffer.of(), large)).toBe(0)
    })

    it('has its own copy of a value once commit has returned', async () => {
      const value = Uint8Array.of(1, 2, 3)
      await commit({ state: 'k', value })
      value.fill(9)
      const loaded = await store.load()
      loaded.state.get('k')?.fill(8)
      expect((await found()).state.get('k')).toEqual(Uint8Array.of(1, 2, 3))
    })

    it('shows a commit to load whole or not at all', async () => {
      const writing = (async () => {
        for (let n = 0; n < 100; n++) {
          const half = { request: n, response: n }
          await commit(
            { ledger: new Map([[idOf('a'), half]]) },
            { put: route('1-1-a', { backends: [`http://10.0.0.${n}:80`] }) },
            { ledger: new Map([[idOf('z'), half]]) },
          )
        }
      })()
      for (let n = 0; n < 20; n++) {
        const { bytes } = await store.load()
        expect(bytes.get(idOf('a'))).toEqual(bytes.get(idOf('z')))
      }
      await writing
    })

    it('holds ten thousand routes that were committed by 64 callers at once', async () => {
      const all = Array.from({ length: 10_000 }, (_, n) => route(`${n % 97}-${n}-load`))
      const left = all.values()
      await Promise.all(Array.from({ length: 64 }, () => commitEach(left)))
      expect((await found()).routes).toEqual(all.toSorted((a, b) => (a.id < b.id ? -1 : 1)))
    })
    const commitEach = async (routes: Iterable<Route>) => {
      for (const put of routes) await commit({ put })
    }

    if (disk) describeDisk({ open, disk })
  })
}
