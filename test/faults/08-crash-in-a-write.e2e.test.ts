import { mkdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { writeFileAtomic } from '../../lib/atomic-file.ts'
import { level } from '../../plugins/store/level/index.ts'
import { tempRoot } from '../kit/index.ts'
import { openStore } from '../kit/store/open.ts'
import { route } from '../kit/store/samples.ts'
import { fault } from './fault.ts'
import { killedAtEach } from './killed-at.ts'

const folders = () => {
  const scratch = tempRoot('crash')
  onTestFinished(scratch.remove)
  const folder = join(scratch.path, 'files')
  mkdirSync(folder, { mode: 0o700 })
  return { scratch: scratch.path, folder }
}
const at = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)

fault(8, 'a process that is killed at any call of a write leaves the old file or the new one, whole', async () => {
  const { scratch, folder } = folders()
  const file = join(folder, 'file')
  await writeFileAtomic(file, 'old'.repeat(50_000))
  const program = `
    import { writeFileAtomic } from ${at('../../lib/atomic-file.ts')}
    await writeFileAtomic(${JSON.stringify(file)}, 'new'.repeat(60_000))`
  const seen = new Set<string>()
  const kills = await killedAtEach(scratch, folder, program, async () => {
    const text = readFileSync(file, 'utf8')
    expect(text === 'old'.repeat(50_000) || text === 'new'.repeat(60_000)).toBe(true)
    seen.add(text.slice(0, 3))
    await writeFileAtomic(file, 'old'.repeat(50_000))
  })
  // Made, written, synced, renamed, its folder synced.
  expect(kills).toBeGreaterThanOrEqual(5)
  expect([...seen]).toEqual(['old', 'new'])
})

fault(
  8,
  'a store that is killed at any call of a commit opens again with all that was there, and the new route or none',
  async () => {
    const { scratch, folder } = folders()
    const first = await openStore(level(), folder)
    await first.commit([{ put: route('1-1-a') }, { put: route('1-2-b') }])
    await first.close()
    const program = `
    import { level } from ${at('../../plugins/store/level/index.ts')}
    import { openStore } from ${at('../kit/store/open.ts')}
    import { route } from ${at('../kit/store/samples.ts')}
    const store = await openStore(level(), ${JSON.stringify(folder)})
    await store.load()
    await store.commit([{ put: route('1-3-c') }, { remove: route('1-2-b') }])
    process.kill(process.pid, 0)
    await store.close()`
    const seen = new Set<string>()
    const kills = await killedAtEach(scratch, folder, program, async () => {
      const store = await openStore(level(), folder)
      const ids = (await store.load()).routes.map(({ id }) => id).sort()
      // A commit is one step: what it adds and what it takes go together.
      expect([
        ['1-1-a', '1-2-b'],
        ['1-1-a', '1-3-c'],
      ]).toContainEqual(ids)
      expect(store.events).toEqual([])
      seen.add(ids.join())
      await store.commit([{ put: route('1-2-b') }, { remove: route('1-3-c') }])
      await store.close()
    })
    expect(kills).toBeGreaterThan(5)
    expect(seen.size).toBe(2)
  },
)

fault(8, 'readers beside a writer see the old file or the new one, never a part', async () => {
  const { folder } = folders()
  const file = join(folder, 'file')
  const contents = ['a', 'b', 'c'].map((letter) => letter.repeat(100_000))
  await writeFileAtomic(file, contents[0] ?? '')
  let writing = true
  const writer = (async () => {
    for (let round = 0; round < 300; round++) await writeFileAtomic(file, contents[round % 3] ?? '')
    writing = false
  })()
  let reads = 0
  const readers = Array.from({ length: 4 }, async () => {
    while (writing) {
      expect(contents).toContain(await readFile(file, 'utf8'))
      reads++
    }
  })
  await Promise.all([writer, ...readers])
  expect(reads).toBeGreaterThan(20)
})
