import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ClassicLevel } from 'classic-level'
import { expect, onTestFinished, test } from 'vitest'
import { checkFormat } from '../../../plugins/store/level/format.ts'
import { killedAtEach } from '../../faults/killed-at.ts'
import { tempRoot } from '../../kit/index.ts'
import { certificate, idOf, passthrough, route, sorted } from '../../kit/store/samples.ts'
import { edit, folder, open } from './level-folder.ts'
import { steps } from './level-steps.ts'

/** Files as the first version of the gateway wrote them. Whatever formats come, they load. */
const first = fileURLToPath(new URL('../../fixtures/store/format-1', import.meta.url))
const left = (root: string) => {
  rmSync(join(root, 'state'), { recursive: true, force: true })
  mkdirSync(join(root, 'state'), { mode: 0o700 })
  cpSync(first, join(root, 'state'), { recursive: true })
}
const kept = {
  routes: [passthrough, route('40-1976-shop', { backends: ['http://10.20.2.5:9000', 'http://10.20.2.6:9000'] })],
  certificates: [certificate('dnsresolver-1f2e3d4c5b6a7988')],
  bytes: new Map([[idOf('40-1976-shop'), { request: 1_234, response: 5_678_901_234 }]]),
  state: new Map([
    ['core/seq', Uint8Array.from(Buffer.from('42'))],
    ['service/acme account', Uint8Array.of(0, 1, 2, 253, 254, 255)],
  ]),
}
const rowsOf = async (db: ClassicLevel<string, string>) => Object.fromEntries(await db.iterator().all())

test('what the first version left loads, record by record, and again', async () => {
  const root = folder()
  left(root)
  for (let start = 0; start < 2; start++) {
    const store = await open(root)
    expect(sorted(await store.load())).toEqual(kept)
    expect(store.events).toEqual([])
    await store.close()
  }
})

test('an earlier format goes through every step to the newest, once', async () => {
  const root = folder()
  left(root)
  let before: Record<string, string> = {}
  await edit(root, async (db) => {
    before = await rowsOf(db)
    await checkFormat(db, root, steps)
    expect(await rowsOf(db)).toEqual({ ...migrated(before), format: '3' })
    await checkFormat(db, root, steps)
    expect(await rowsOf(db)).toEqual({ ...migrated(before), format: '3' })
  })
  expect(Object.keys(before).length).toBeGreaterThan(5)
})

/** What the steps make of the rows. */
const migrated = (rows: Record<string, string>, format = 3) =>
  Object.fromEntries(
    Object.entries(rows).map(([key, value]) => [
      format > 1 ? key.replace(/^state!/, 'kept!') : key,
      format > 2 && key.startsWith('route!') ? `${value} of 3` : value,
    ]),
  )

test('killed at any call of its migration a database has one format or the next, whole, and is brought to the newest after', async () => {
  const scratch = tempRoot('format')
  onTestFinished(scratch.remove)
  const root = join(scratch.path, 'root')
  mkdirSync(root)
  left(root)
  let before: Record<string, string> = {}
  await edit(root, async (db) => {
    before = await rowsOf(db)
  })
  left(root)
  const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const program = `
    import { ClassicLevel } from 'classic-level'
    import { checkFormat } from ${at('../../../plugins/store/level/format.ts')}
    import { steps } from ${at('./level-steps.ts')}
    const db = new ClassicLevel(${JSON.stringify(join(root, 'state'))}, { keyEncoding: 'utf8', valueEncoding: 'utf8' })
    await db.open()
    await checkFormat(db, 'here', steps)
    await db.close()`
  const seen = new Set<string>()
  const kills = await killedAtEach(scratch.path, join(root, 'state'), program, async () => {
    await edit(root, async (db) => {
      const { format = '', ...rows } = await rowsOf(db)
      const { format: _, ...old } = before
      expect(rows).toEqual(migrated(old, Number(format)))
      seen.add(format)
      await checkFormat(db, root, steps)
      expect(await rowsOf(db)).toEqual({ ...migrated(before), format: '3' })
    })
    left(root)
  })
  expect(kills).toBeGreaterThan(5)
  expect([...seen].sort()).toEqual(['1', '2', '3'])
})

test.each(['2', '7', '0', '1.5', 'new', ''])('format %j is refused, and left as it is', async (format) => {
  const root = folder()
  left(root)
  await edit(root, (db) => db.put('format', format))
  let before: Record<string, string> = {}
  await edit(root, async (db) => {
    before = await rowsOf(db)
  })
  await expect(open(root)).rejects.toMatchObject({
    code: 'STORAGE',
    message: expect.stringContaining(`has format ${format}, and this gateway reads up to 1`),
    fix: expect.stringContaining('the version that wrote it'),
  })
  await edit(root, async (db) => {
    expect(await rowsOf(db)).toEqual(before)
    await db.put('format', '1')
  })
  const again = await open(root)
  expect(sorted(await again.load())).toEqual(kept)
  await again.close()
})
