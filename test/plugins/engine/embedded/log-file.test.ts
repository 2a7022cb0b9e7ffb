import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { LogFile } from '../../../../plugins/engine/embedded/log-file.ts'
import { tempRoot } from '../../../kit/index.ts'

const place = () => {
  const root = tempRoot('log-file')
  onTestFinished(root.remove)
  return join(root.path, 'access.log')
}
const opened = async (path: string) => {
  const told: string[] = []
  const file = await LogFile.open(path, {
    failed: (error) => told.push(`failed: ${error.message}`),
    resumed: (dropped) => told.push(`resumed: ${dropped}`),
  })
  return { file, told }
}
const text = (path: string) => readFileSync(path, 'utf8')

describe('a log file', () => {
  test('follows its path where the file was renamed, and loses no line', async () => {
    const path = place()
    const { file } = await opened(path)
    file.write('one\n')
    await file.reopen()
    renameSync(path, `${path}.1`)
    file.write('two\n')
    await file.reopen()
    file.write('three\n')
    await file.close()
    expect(text(`${path}.1`) + text(path)).toBe('one\ntwo\nthree\n')
    expect(text(path)).toContain('three\n')
  })

  test('notices without a word that the file was renamed, deleted or replaced', async () => {
    const path = place()
    const { file } = await opened(path)
    onTestFinished(() => file.close())
    for (const [line, change] of [
      ['renamed\n', () => renameSync(path, `${path}.1`)],
      ['deleted\n', () => unlinkSync(path)],
      ['replaced\n', () => renameSync(`${path}.1`, path)],
    ] as const) {
      change()
      await expect
        .poll(
          () => {
            file.write(line)
            return existsSync(path) && text(path).includes(line)
          },
          { timeout: 30_000 },
        )
        .toBe(true)
    }
  })

  test('begins a line of its own where a crash left half of one', async () => {
    const path = place()
    writeFileSync(path, '{"half":')
    const { file } = await opened(path)
    file.write('whole\n')
    await file.close()
    expect(text(path)).toBe('{"half":\nwhole\n')
  })

  test('refuses a symbolic link and a pipe that nobody reads', async () => {
    const path = place()
    symlinkSync('/dev/null', path)
    await expect(opened(path)).rejects.toMatchObject({ code: 'ELOOP' })
    execFileSync('mkfifo', [`${path}.pipe`])
    await expect(opened(`${path}.pipe`)).rejects.toMatchObject({ code: 'ENXIO' })
  })

  test('keeps lines while its folder is gone, drops whole ones beyond 8 MiB, and counts them', async () => {
    const folder = `${place()}.d`
    const path = join(folder, 'log')
    mkdirSync(folder)
    const { file, told } = await opened(path)
    rmSync(folder, { recursive: true })
    file.write('kept\n')
    await file.reopen()
    const long = `${'x'.repeat(1_048_575)}\n`
    for (let n = 0; n < 20; n++) file.write(long)
    expect(told).toEqual([expect.stringContaining('ENOENT')])
    mkdirSync(folder)
    await file.reopen()
    await file.close()
    expect(text(path).split('\n').length - 1).toBe(9 - 1)
    expect(told.at(-1)).toMatch(/^resumed: 1[23]$/)
  })
})

test.runIf(process.getuid?.() === 0)('a log file goes on where a full disk stopped it, with no line in part', async () => {
  const folder = `${place()}.mnt`
  mkdirSync(folder)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', folder])
  onTestFinished(() => void execFileSync('umount', [folder]))
  const path = join(folder, 'log')
  const { file, told } = await opened(path)
  writeFileSync(join(folder, 'fill'), Buffer.alloc(200_000))
  for (let n = 0; n < 200; n++) {
    file.write(`${n} ${'x'.repeat(1_000)}\n`)
    await file.reopen()
  }
  expect(told).toEqual([expect.stringContaining('ENOSPC')])
  const half = text(path)
  expect(half.endsWith('\n')).toBe(false)
  rmSync(join(folder, 'fill'))
  await file.reopen()
  file.write('after\n')
  await file.close()
  const lines = text(path).trimEnd().split('\n')
  expect(lines).toHaveLength(201)
  expect(lines.slice(0, -1).map((line) => line.length - line.indexOf('x'))).toEqual(Array(200).fill(1_000))
  expect(told.at(-1)).toBe('resumed: 0')
})
