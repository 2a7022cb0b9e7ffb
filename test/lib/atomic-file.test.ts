import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeFileAtomic } from '../../lib/atomic-file.ts'
import { type Root, tempRoot } from '../kit/index.ts'

describe('writeFileAtomic', () => {
  let root: Root
  let path: string
  beforeEach(() => {
    root = tempRoot()
    path = join(root.path, 'file')
  })
  afterEach(() => root.remove())

  it('fault 37: gives the file its mode whatever the umask is, and 0600 by default', async () => {
    const mask = process.umask(0)
    try {
      await writeFileAtomic(path, 'secret')
      await writeFileAtomic(`${path}.pem`, 'open', 0o644)
    } finally {
      process.umask(mask)
    }
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(`${path}.pem`)).mode & 0o777).toBe(0o644)
  })

  it('replaces a planted link and leaves alone what it points to', async () => {
    await writeFile(join(root.path, 'victim'), 'untouched')
    await symlink(join(root.path, 'victim'), path)
    await writeFileAtomic(path, 'new')
    expect(await readFile(join(root.path, 'victim'), 'utf8')).toBe('untouched')
    expect(await readFile(path, 'utf8')).toBe('new')
  })

  it('leaves nothing behind where it fails', async () => {
    await mkdir(path)
    await writeFile(join(path, 'inside'), 'x')
    await expect(writeFileAtomic(path, 'new')).rejects.toThrow()
    expect(await readdir(root.path)).toEqual(['file'])
  })

  it('fault 8: shows a reader the old file or a new one, never a part', async () => {
    const contents = ['a', 'b', 'c'].map((letter) => letter.repeat(200_000))
    await writeFileAtomic(path, contents[0]!)
    let writing = true
    const writer = (async () => {
      for (let round = 0; round < 30; round++) await writeFileAtomic(path, contents[round % 3]!)
      writing = false
    })()
    let reads = 0
    while (writing) {
      expect(contents).toContain(await readFile(path, 'utf8'))
      reads++
    }
    await writer
    expect(reads).toBeGreaterThan(0)
    expect(await readdir(root.path)).toEqual(['file'])
  })

  it('takes several writers at once: one of them is last, whole', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, at) => writeFileAtomic(path, String(at).repeat(1_000))))
    expect(await readFile(path, 'utf8')).toMatch(/^(\d+?)\1*$/)
    await chmod(path, 0o600)
    expect(await readdir(root.path)).toEqual(['file'])
  })
})
