import { execFileSync } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readPlainFile } from '../../lib/plain-file.ts'
import { tempRoot } from '../kit/index.ts'

test('only a plain file of a bounded size is read, and nothing else is waited for', async () => {
  const root = tempRoot('plain')
  onTestFinished(root.remove)
  const at = (name: string) => join(root.path, name)
  writeFileSync(at('plain'), 'ten bytes.')
  expect(await readPlainFile(at('plain'), 10)).toBe('ten bytes.')
  await expect(readPlainFile(at('plain'), 9)).rejects.toThrow('more than 9 bytes')
  symlinkSync(at('plain'), at('link'))
  await expect(readPlainFile(at('link'), 10)).rejects.toThrow('symbolic link')
  symlinkSync('/dev/zero', at('endless'))
  await expect(readPlainFile(at('endless'), 10)).rejects.toThrow('symbolic link')
  execFileSync('mkfifo', [at('pipe')])
  const server = createServer().listen(at('socket'))
  onTestFinished(() => void server.close())
  for (const path of [at('pipe'), at('socket'), '/dev/zero', root.path])
    await expect(readPlainFile(path, 10), path).rejects.toThrow('no plain file')
  await expect(readPlainFile(at('none'), 10)).rejects.toMatchObject({ code: 'ENOENT' })
})
