import { expect, it, onTestFinished } from 'vitest'
import { GatewayError, type Plugin } from '../../../core/index.ts'
import { tempRoot } from '../root.ts'
import type { StoreModule } from './child.ts'
import { openStore } from './open.ts'
import { holdElsewhere, killAmidWrites, loadElsewhere } from './process.ts'
import { certificate, idOf, passthrough, route, sorted } from './samples.ts'

/** What a store that keeps its root on disk must do besides. */
export const describeDisk = ({
  open,
  disk,
}: {
  readonly open: (root: string) => Plugin<'store'>
  readonly disk: StoreModule
}): void => {
  const folder = () => {
    const root = tempRoot('store')
    onTestFinished(root.remove)
    return root.path
  }

  it('gives a fresh process what this one committed', async () => {
    const root = folder()
    const store = await openStore(open(root), root)
    await store.commit([
      { put: route('40-1976-shop') },
      { put: passthrough },
      { certificate: certificate('c1') },
      { ledger: new Map([[idOf('40-1976-shop'), { request: 7, response: 8 }]]) },
      { state: 'k', value: Uint8Array.of(1, 2) },
    ])
    const here = sorted(await store.load())
    await store.close()
    expect(sorted(await loadElsewhere(disk, root))).toStrictEqual(here)
  })

  it('writes what waits before it closes, and takes nothing after', async () => {
    const root = folder()
    const store = await openStore(open(root), root)
    const waiting = Array.from({ length: 50 }, (_, n) => store.commit([{ put: route(`1-${n}-a`) }]))
    await store.close()
    await Promise.all(waiting)
    await expect(store.commit([{ put: route('1-99-a') }])).rejects.toThrow(GatewayError)
    const again = await openStore(open(root), root)
    expect((await again.load()).routes).toHaveLength(50)
    await again.close()
  })

  it.each([1, 30, 150, 400, 900])(
    'loses nothing that was answered to a kill -9 after %i commits, and tears none apart',
    async (answers) => {
      const root = folder()
      const promised = await killAmidWrites(disk, root, answers)
      const store = await openStore(open(root), root)
      const { routes, bytes } = await store.load()
      const there = new Set<string>(routes.map(({ id }) => id))
      await store.close()

      expect(store.events).toEqual([])
      expect(there).toEqual(new Set(bytes.keys()))
      for (const id of promised.removed) expect(there.has(id), `${id} was removed`).toBe(false)
      for (const id of promised.put) {
        if (!promised.removed.has(id) && !promised.open.has(id)) expect(there.has(id), `${id} was put`).toBe(true)
      }
    },
  )

  it('refuses a root that another gateway has open with BUSY and its pid, and takes it once that one is killed', async () => {
    const root = folder()
    const other = await holdElsewhere(disk, root)
    const refused = await openStore(open(root), root).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'BUSY', message: expect.stringContaining(`pid ${other.pid}`) })
    await other.kill()
    await (await openStore(open(root), root)).close()
  })

  it('refuses a root that this process has open already', async () => {
    const root = folder()
    const store = await openStore(open(root), root)
    await expect(openStore(open(root), root)).rejects.toMatchObject({ code: 'BUSY' })
    await store.commit([{ put: route('1-1-a') }])
    await store.close()
  })
}
