import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bin, follow, gatewayProcess } from '../cli/gateway-process.ts'
import { freePort } from '../kit/port.ts'
import { startRedis } from '../kit/redis.ts'
import { type Root, tempRoot } from '../kit/root.ts'
import { freshCopy, shell } from './fresh-copy.ts'

const up = 'zos-gateway 0.1.0 is up'
const freePorts = async () => ({
  GATEWAY_HTTP: String(await freePort()),
  GATEWAY_HTTPS: String(await freePort()),
  GATEWAY_API: String(await freePort()),
})

describe('in a fresh clone', () => {
  let clone: Root
  beforeAll(() => {
    clone = freshCopy({ installed: false })
  })
  afterAll(() => clone.remove())

  test('npm start installs and starts, whatever Node the machine has; two at once install once', async () => {
    const env = { ...shell, ...(await freePorts()) }
    await using other = follow('node', ['tools/setup.mjs'], { cwd: clone.path, env })
    await using npm = follow('npm', ['start'], { cwd: clone.path, env, detached: true })
    await npm.until(up)
    expect(await other.ended).toBe(0)
    const said = npm.stderr + other.stderr
    expect(said.match(/Installing packages/g)).toHaveLength(1)
    expect(existsSync(join(clone.path, '.gateway/gateway.sock'))).toBe(true)
    npm.signal('SIGTERM')
    await npm.ended
    expect(existsSync(join(clone.path, '.gateway/gateway.sock'))).toBe(false)
  })

  test('the next start installs nothing, and a changed lockfile is installed', async () => {
    const setup = () => spawnSync('node', ['tools/setup.mjs'], { cwd: clone.path, env: shell, encoding: 'utf8' })
    expect(setup()).toMatchObject({ status: 0, stderr: '' })
    writeFileSync(join(clone.path, 'package-lock.json'), `${readFileSync(join(clone.path, 'package-lock.json'), 'utf8')}\n`)
    const changed = setup()
    expect(changed.stderr).toContain('Installing packages')
    expect(changed.status).toBe(0)
  })
})

describe('the process', () => {
  let root: Root
  beforeAll(() => {
    root = tempRoot('start')
  })
  afterAll(() => root.remove())

  test('starts as a zinit unit starts it, and serves zbus at the broker that it is given', async () => {
    const redis = await startRedis()
    const args = ['--broker', redis.broker.unix, '--root', join(root.path, 'zos'), '--workers', '3']
    await using gateway = gatewayProcess(args, { cwd: root.path, env: await freePorts() })
    await gateway.until(up)
    const status = spawnSync(process.execPath, [bin, 'status', '--root', join(root.path, 'zos')], { encoding: 'utf8' })
    expect(status.stdout).toMatch(/transport\/zbus +ok .*broker unix:.*workers 3/)
    gateway.signal('SIGTERM')
    expect(await gateway.ended).toBe(0)
    await redis.close()
  })

  test('keeps its state for this user only, and logs a line of JSON per event', async () => {
    await using gateway = gatewayProcess(['--root', 'mine'], { cwd: root.path, env: await freePorts() })
    await gateway.until(up)
    expect(statSync(join(root.path, 'mine')).mode & 0o077).toBe(0)
    gateway.signal('SIGINT')
    expect(await gateway.ended).toBe(0)
    for (const line of gateway.stderr.trim().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number), msg: expect.any(String) })
  })

  test('says in one line why it does not start, with the exit code of the error', async () => {
    const taken = createServer()
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done))
    const address = taken.address()
    const port = typeof address === 'object' && address ? String(address.port) : ''
    await using gateway = gatewayProcess(['--api', port, '--root', join(root.path, 'port')], {
      cwd: root.path,
      env: await freePorts(),
    })
    expect(await gateway.ended).toBe(71)
    expect(gateway.stderr).toMatch(/^gateway: PORT_IN_USE: [^\n]*127\.0\.0\.1:\d+ is in use[^\n]*\n$/)
    taken.close()
  })

  test('leaves a root alone that another gateway holds, and names its process', async () => {
    const held = join(root.path, 'held')
    await using gateway = gatewayProcess(['--root', held], { cwd: root.path, env: await freePorts() })
    await gateway.until(up)
    await using second = gatewayProcess(['--root', held], { cwd: root.path, env: await freePorts() })
    expect(await second.ended).toBe(5)
    expect(second.stderr).toMatch(new RegExp(`^gateway: BUSY: [^\n]*${gateway.pid}[^\n]*\n$`))
  })

  test('runs with a young generation that fits the caches, in the process that was started, unless one was chosen', async () => {
    const generation = async (env: Record<string, string>) => {
      const own = { cwd: root.path, env: { ...(await freePorts()), ...env } }
      await using gateway = gatewayProcess(['--root', join(root.path, 'generation')], own)
      await gateway.until(up)
      return readFileSync(`/proc/${gateway.pid}/cmdline`, 'utf8').split('\0')
    }
    expect(await generation({})).toContain('--max-semi-space-size=4')
    expect(await generation({ NODE_OPTIONS: '--max_semi_space_size=8' })).not.toContain('--max-semi-space-size=4')
  })

  test('takes a changed config at SIGHUP, and keeps the old one where the new one is wrong', async () => {
    const config = join(root.path, 'gateway.config.mts')
    const write = (name: string) =>
      writeFileSync(
        config,
        `import { defineGateway } from 'zos-gateway'\nimport { memory, ${name} } from 'zos-gateway/plugins'\nimport { extra } from './extra.mts'\n` +
          `export default defineGateway({ plugins: [memory(), ${name}(), ...extra] })`,
      )
    const extra = join(root.path, 'extra.mts')
    writeFileSync(extra, `export const extra = []`)
    write('fqdnProxy')
    await using gateway = gatewayProcess(['--root', join(root.path, 'reload')], { cwd: root.path, env: await freePorts() })
    await gateway.until(up)

    write('nameProxy')
    gateway.signal('SIGHUP')
    await gateway.until('"added":["workload/name-proxy"]')

    write('nobodysProxy')
    gateway.signal('SIGHUP')
    await gateway.until("has no 'nobodysProxy'")

    write('nameProxy')
    writeFileSync(extra, `import { fqdnProxy } from 'zos-gateway/plugins'\nexport const extra = [fqdnProxy()]`)
    gateway.signal('SIGHUP')
    await gateway.until('"added":["workload/fqdn-proxy"]')

    gateway.signal('SIGTERM')
    expect(await gateway.ended).toBe(0)
  })
})
