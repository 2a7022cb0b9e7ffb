import { lchownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openRoot } from '../../core/root.ts'
import { type Root, tempRoot } from '../kit/root.ts'

describe('the root', () => {
  let folder: Root
  beforeEach(() => {
    folder = tempRoot()
  })
  afterEach(() => folder.remove())
  const linked = () => {
    const link = join(folder.path, 'root')
    mkdirSync(join(folder.path, 'elsewhere'))
    symlinkSync('elsewhere', link)
    return link
  }

  test('is made with what is above it, and is for this user only', async () => {
    const root = join(folder.path, 'a/b/c')
    await openRoot(root)
    expect((statSync(root).mode & 0o777).toString(8)).toBe('700')
    expect((statSync(join(folder.path, 'a')).mode & 0o777).toString(8)).toBe((0o777 & ~process.umask()).toString(8))
  })
  test('may be reached by a link of this user, and what it leads to is closed to others', async () => {
    await openRoot(linked())
    expect((statSync(join(folder.path, 'elsewhere')).mode & 0o777).toString(8)).toBe('700')
  })
  test.skipIf(process.getuid?.() !== 0)('is refused behind a link of another user', async () => {
    const link = linked()
    lchownSync(link, 4711, 4711)
    for (const root of [link, `${link}/`]) {
      await expect(openRoot(root)).rejects.toMatchObject({
        code: 'ROOT_UNUSABLE',
        message: expect.stringContaining('is a symbolic link of another user'),
      })
    }
  })
  test('is refused as a file and as a link to one', async () => {
    const file = join(folder.path, 'file')
    writeFileSync(file, '')
    symlinkSync('file', join(folder.path, 'link'))
    for (const root of [file, join(folder.path, 'link')]) {
      await expect(openRoot(root)).rejects.toMatchObject({
        code: 'ROOT_UNUSABLE',
        message: expect.stringContaining('is not a folder'),
      })
    }
  })
})
