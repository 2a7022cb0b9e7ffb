import { cpSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { freePort, tempRoot } from '../kit/index.ts'
import { gatewayProcess } from './gateway-process.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/left-routes/${name}`, import.meta.url))

/** The root of a Go module, and the empty one of a gateway. */
const roots = (...folders: string[]) => {
  const [from, to] = [tempRoot('from'), tempRoot('to')]
  onTestFinished(async () => {
    await from.remove()
    await to.remove()
  })
  mkdirSync(join(from.path, 'proxy'))
  for (const folder of folders) cpSync(fixture(folder), join(from.path, 'proxy'), { recursive: true })
  mkdirSync(join(from.path, 'traefik'))
  writeFileSync(join(from.path, 'traefik', 'acme.json'), '{}', { mode: 0o644 })
  return { from: from.path, to: to.path }
}
const gateway = async (cwd: string, ...args: string[]) => {
  await using process = gatewayProcess(args, { cwd })
  const code = await process.ended
  return { code, stdout: process.stdout, stderr: process.stderr }
}

test('import takes the workloads and the certificates of another root, once, and the next start serves them', async () => {
  const { from, to } = roots('proxy')
  const flags = ['--from', from, '--root', to, '--json']
  const dry = await gateway(to, 'import', ...flags, '--dry-run')
  expect(JSON.parse(dry.stdout)).toMatchObject({ routes: { length: 5 }, acme: [] })
  const done = await gateway(to, 'import', ...flags)
  expect([done.code, done.stderr]).toEqual([0, ''])
  expect(JSON.parse(done.stdout)).toMatchObject({ routes: { length: 5 }, refused: [], unread: [], acme: { length: 1 } })
  expect(statSync(join(to, 'traefik', 'acme.json')).mode & 0o777).toBe(0o600)

  const again = await gateway(to, 'import', ...flags)
  expect(again.code).toBe(2)
  expect(JSON.parse(again.stdout)).toMatchObject({ routes: [], refused: { length: 5 }, unread: { length: 1 } })

  const [http, https, api] = [await freePort(), await freePort(), await freePort()]
  const ports = ['--http', `${http}`, '--https', `${https}`, '--api', `${api}`]
  await using running = gatewayProcess(['--root', to, ...ports, '--broker', `unix://${to}/no-redis.sock`], { cwd: to })
  await running.until('is up: 5 routes')
  const refused = await gateway(to, 'import', ...flags)
  expect(refused.code).not.toBe(0)
  expect(refused.stderr).toContain(String(running.pid))
})

test('import lists what it cannot take over, and ends with 2', async () => {
  const { from, to } = roots('older', 'unread')
  const done = await gateway(to, 'import', '--from', join(from, 'proxy'), '--root', to, '--preset', 'zos')
  expect(done.code).toBe(2)
  expect(done.stdout).toContain('3 taken over, 12 not')
  expect(done.stderr).toContain(`not taken over: ${from}/proxy/1-1-noserver.yaml: its service has no servers`)
})

test('import says where what is named has no routes', async () => {
  const { to } = roots()
  const done = await gateway(to, 'import', '--from', join(to, 'nothing'), '--root', to)
  expect([done.code, done.stderr]).toEqual([4, expect.stringContaining('has no folder proxy')])
})

test.for([
  [['--preset', 'sos'], 'there is no preset "sos" (did you mean zos?)'],
  [['--preset', 'zos', '--config', 'gateway.config.mts'], 'give --config or --preset'],
])('the gateway refuses %j', async ([args, why]) => {
  const { to } = roots()
  const done = await gateway(to, ...(args as string[]))
  expect([done.code, done.stderr]).toEqual([2, expect.stringContaining(why as string)])
})
