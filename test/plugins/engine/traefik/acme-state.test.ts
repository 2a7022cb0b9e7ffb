import { chmod, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { guardAcme } from '../../../../plugins/engine/traefik/acme-state.ts'
import { tempRoot } from '../../../kit/index.ts'

const state = JSON.stringify({ resolver: { Account: { Email: 'a@example.org' }, Certificates: [{ key: 'canary' }] } }, null, 2)

const stand = async (content: string | undefined = state) => {
  const root = tempRoot('acme')
  const path = join(root.path, 'acme.json')
  if (content !== undefined) await writeFile(path, content, { mode: 0o600 })
  const told: string[] = []
  const guard = await guardAcme(root.path, (what) => told.push(what))
  onTestFinished(async () => {
    guard.close()
    await root.remove()
  })
  return { path, told, guard, copied: () => readFile(`${path}.backup`, 'utf8').catch(() => undefined) }
}

it.each([
  ['cut short', (path: string) => truncate(path, 40)],
  ['emptied', (path: string) => truncate(path, 0)],
  ['overwritten', (path: string) => writeFile(path, 'garbage')],
])('is restored from its copy where it was %s', async (_, damage) => {
  const { path, guard, told } = await stand()
  await damage(path)
  await guard.mend()
  expect(await readFile(path, 'utf8')).toBe(state)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(told).toEqual(['acme.json was broken and was restored from its copy'])
})

it('is made this user’s own again where others could read it', async () => {
  const { path, guard, told } = await stand()
  await chmod(path, 0o644)
  await guard.mend()
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(told).toEqual([expect.stringContaining('could be read by other users')])
})

it('is copied for this user only when Traefik wrote it', async () => {
  const { path, copied } = await stand()
  expect((await stat(`${path}.backup`)).mode & 0o777).toBe(0o600)
  const next = state.replace('a@', 'b@')
  await writeFile(path, next)
  await expect.poll(copied, { timeout: 10_000 }).toBe(next)
})

it('is moved aside where it is broken and has no copy', async () => {
  const { path, told } = await stand('{"resolver": {"Acc')
  expect(await readFile(`${path}.broken`, 'utf8')).toBe('{"resolver": {"Acc')
  await expect(stat(path)).rejects.toThrow('ENOENT')
  expect(told).toEqual([expect.stringContaining('there is no copy')])
})

it('stays away where it was deleted, and stays empty where it never held anything', async () => {
  const { path, guard, told } = await stand()
  await rm(path)
  await guard.mend()
  await expect(stat(path)).rejects.toThrow('ENOENT')
  const empty = await stand('')
  expect((await stat(empty.path)).size).toBe(0)
  expect([...told, ...empty.told]).toEqual([])
})
