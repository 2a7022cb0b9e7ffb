import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freshCopy } from '../e2e/fresh-copy.ts'
import { follow } from './gateway-process.ts'
import { ask, configOf, load, started } from './upgradable.ts'

test('an upgrade migrates the state; the older gateway then refuses it, in an upgrade and at a start, and changes nothing', async () => {
  const copy = freshCopy({ installed: true })
  onTestFinished(copy.remove)
  const program = join(copy.path, 'bin', 'gateway.js')
  const source = join(copy.path, 'plugins', 'store', 'level', 'format.ts')
  const older = readFileSync(source, 'utf8')
  const step = "[async () => [{ key: 'later!note', value: 'of format 2' }]]"
  const newer = older.replace('const migrations: readonly Migration[] = []', `const migrations: readonly Migration[] = ${step}`)
  expect(newer).not.toBe(older)

  const gateway = await started({ program })
  const under = load(gateway)
  writeFileSync(source, newer)
  // It migrates, and does not start: the one before serves on, without a store that it could read.
  const config = readFileSync(gateway.config, 'utf8')
  writeFileSync(
    gateway.config,
    configOf("definePlugin({ name: 'service/late', kind: 'service', setup: () => { throw new Error('not today') } })"),
  )
  await expect(gateway.run('upgrade')).rejects.toMatchObject({
    code: 69,
    stderr: expect.stringContaining('cannot take its state back'),
  })
  const { answers } = under
  await expect.poll(() => under.answers, { timeout: 60_000 }).toBeGreaterThan(answers + 20)
  writeFileSync(gateway.config, config)
  await gateway.upgrade()
  await gateway.set('1-2-late', 'late')
  writeFileSync(source, older)
  await expect(gateway.run('upgrade')).rejects.toMatchObject({ code: 69, stderr: expect.stringContaining('PROCESS_FAILED') })
  expect(gateway.gateway.stderr).toContain('has format 2, and this gateway reads up to 1')
  // The newer one took its store back.
  await gateway.set('1-3-later', 'later')
  expect((await under.stop()).failed).toEqual([])
  gateway.gateway.signal('SIGTERM')
  expect(await gateway.gateway.ended).toBe(0)

  const start = () => follow(process.execPath, [program, ...gateway.flags], { cwd: gateway.root })
  const refused = start()
  expect(await refused.ended).toBe(5)
  expect(refused.stderr).toMatch(
    /STORAGE: .*\/state has format 2, and this gateway reads up to 1 \(start the version that wrote it/,
  )
  writeFileSync(source, newer)
  await using again = start()
  await again.until('is up: 3 routes')
  expect(await ask(gateway, false)).toBe(5)
})
