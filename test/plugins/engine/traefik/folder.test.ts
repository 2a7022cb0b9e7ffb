import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Folder, type Found } from '../../../../plugins/engine/traefik/folder.ts'
import { tempRoot } from '../../../kit/index.ts'

const patience = { timeout: 60_000, interval: 20 }

/** A folder with two files, and what was said of it. */
const stand = async () => {
  const root = tempRoot('folder')
  onTestFinished(root.remove)
  const path = join(root.path, 'proxy')
  const found: Found[] = []
  const failed: string[] = []
  const folder = new Folder(
    path,
    (some) => found.push(...some),
    (error) => failed.push(String(error)),
  )
  onTestFinished(() => folder.close())
  const all = new Map([
    ['1-1-a.yaml', 'a'],
    ['1-2-b.yaml', 'b'],
  ])
  await folder.open(all)
  const read = async () => {
    const names = await readdir(path)
    return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(path, name), 'utf8')] as const)))
  }
  const settled = (wanted: ReadonlyMap<string, string>) => expect.poll(() => read().catch(String), patience).toEqual(wanted)
  return { folder, path, aside: `${path}-aside`, found, failed, all, settled }
}

let moved = 0
/** Files may come back while it goes. */
const remove = (path: string) => rm(path, { recursive: true, force: true, maxRetries: 20 })
const move = (path: string) => rename(path, `${path}-${++moved}`)
const make = (path: string) => mkdir(path, { recursive: true })
test.each<[string, (path: string) => Promise<unknown>]>([
  ['deleted', remove],
  ['moved away', move],
  ['deleted and made anew', (path) => remove(path).then(() => make(path))],
  ['moved away and made anew', (path) => move(path).then(() => make(path))],
])('a folder that was %s is there again with all that belongs in it, and watched on', async (_, take) => {
  const { folder, path, all, settled } = await stand()
  await take(path)
  await settled(all)
  await rm(join(path, '1-1-a.yaml'))
  await settled(all)
  await take(path)
  await folder.change(new Map([['1-3-c.yaml', 'c']]), ['1-1-a.yaml'])
  await settled(
    new Map([
      ['1-2-b.yaml', 'b'],
      ['1-3-c.yaml', 'c'],
    ]),
  )
})

test('a folder in the place of a file is moved aside, and the file put back', async () => {
  const { path, aside, all, settled } = await stand()
  const file = join(path, '1-1-a.yaml')
  // It may be put back between the two.
  do await rm(file, { recursive: true, force: true })
  while (
    !(await mkdir(join(file, 'inside'), { recursive: true }).then(
      () => true,
      () => false,
    ))
  )
  await settled(all)
  expect(await readdir(aside)).toContainEqual(expect.stringMatching(/-1-1-a\.yaml$/))
})

test('a foreign file is moved aside however long its name is', async () => {
  const { path, aside, all, settled } = await stand()
  await writeFile(join(path, `${'x'.repeat(250)}.yaml`), '{{')
  await settled(all)
  expect(await readdir(aside)).toEqual([expect.stringMatching(/x\.yaml$/)])
})

test('what cannot be mended is said, holds up nothing else, and is mended once it can be', async () => {
  const { path, aside, all, found, failed, settled } = await stand()
  await writeFile(aside, 'in the way')
  await writeFile(join(path, 'foreign.yaml'), '{{')
  await expect.poll(() => failed.length, patience).toBeGreaterThan(0)
  await rm(join(path, '1-1-a.yaml'))
  await settled(new Map([...all, ['foreign.yaml', '{{']]))
  await rm(aside)
  await settled(all)
  for (const one of [
    { name: '1-1-a.yaml', what: 'lost' },
    { name: 'foreign.yaml', what: 'foreign' },
  ])
    await expect.poll(() => found, patience).toContainEqual(one)
})
