import { copyFileSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freshCopy } from '../e2e/fresh-copy.ts'
import { tempRoot } from '../kit/index.ts'
import { bin, follow } from './gateway-process.ts'
import { childrenOf } from './processes.ts'
import { ask, configOf, load, started } from './upgradable.ts'

describe('gateway upgrade', () => {
  test('drops no request under load, counts every byte, and lets streams and a WebSocket go on', async () => {
    const gateway = await started()
    const talk = await gateway.webSocket()
    const two = await gateway.h2()
    const got: Buffer[] = []
    const stream = two.request({ headers: { ':path': '/held' }, sink: (chunk) => got.push(chunk) })
    await expect.poll(() => got.length, { timeout: 60_000 }).toBe(1)
    const under = load(gateway)
    const pids = new Set<number>()
    for (let round = 0; round < 3; round++) {
      const begun = under.answers
      await expect.poll(() => under.answers, { timeout: 60_000 }).toBeGreaterThan(begun + 40)
      pids.add(await gateway.upgrade())
      if (round > 0) continue
      // Through the first gateway, which is not done as long as these are.
      await talk.send('still here')
      expect((await talk.next()).data.toString()).toBe('still here')
      talk.close()
      expect(await two.goaway).toBe(0)
      gateway.release()
      expect((await stream).status).toBe(200)
      expect(Buffer.concat(got).toString()).toBe('begun and ended')
      await two.closed
    }
    await gateway.set('1-2-late', 'late')
    const { failed, bytes } = await under.stop()
    expect(failed).toEqual([])
    expect(pids.size).toBe(3)
    const summed = async () => JSON.parse((await gateway.run('metrics', '--json')).stdout)
    // What the earlier gateways carried comes in when they are done with it.
    await expect
      .poll(async () => JSON.stringify(await summed()).match(/"1-1-hello".*?"response":(\d+)/)?.[1], { timeout: 60_000 })
      .toBe(String(bytes + 12 + 15))
  })

  test('cuts a WebSocket at the drain deadline, counts its bytes, and ends the gateway before', async () => {
    const gateway = await started({ more: 'embedded({ http: { port: flags.http }, https: { port: flags.https }, drain: 1 })' })
    const before = childrenOf(gateway.gateway.pid)
    const talk = await gateway.webSocket()
    await talk.send('first words')
    expect((await talk.next()).data.toString()).toBe('first words')
    const next = await gateway.upgrade()
    expect(before).not.toContain(next)
    await talk.http.closed
    await expect.poll(() => childrenOf(gateway.gateway.pid), { timeout: 60_000 }).toEqual([next])
    // A frame of a client has a mask of four bytes (RFC 6455 section 5.2).
    await gateway.carried(17, 13)
    const again = await gateway.webSocket()
    await again.send('and more')
    expect((await again.next()).data.toString()).toBe('and more')
  })

  test('starts what is on the disk now', async () => {
    const copy = freshCopy({ installed: true })
    onTestFinished(copy.remove)
    const gateway = await started({ program: join(copy.path, 'bin', 'gateway.js') })
    const papers = JSON.parse(readFileSync(join(copy.path, 'package.json'), 'utf8'))
    writeFileSync(join(copy.path, 'package.json'), JSON.stringify({ ...papers, version: '99.0.0' }))
    await gateway.run('upgrade')
    expect((await gateway.status()).version).toBe('99.0.0')
  })

  test.for([
    ['a config that cannot be read', 'this is no plugin at all'],
    ['a config that is refused', '{}'],
    [
      'a plugin that does not start',
      "definePlugin({ name: 'service/late', kind: 'service', setup: () => { throw new Error('not today') } })",
    ],
    ['a plugin that ends the process', "definePlugin({ name: 'service/late', kind: 'service', setup: () => process.exit(9) })"],
    [
      'a process that is killed while it is given a socket',
      `definePlugin({ name: 'service/late', kind: 'service', setup: ({ listen }) => {
        void listen({ host: '127.0.0.1', port: 0 }, () => {})
        process.kill(process.pid, 'SIGKILL')
      } })`,
    ],
  ] as const)('with %s changes nothing: the one before serves on and takes operations', async ([, plugin]) => {
    const gateway = await started()
    const under = load(gateway)
    const pid = await gateway.upgrade()
    writeFileSync(gateway.config, configOf(plugin))
    await expect(gateway.run('upgrade', '--json')).rejects.toMatchObject({
      code: 69,
      stderr: expect.stringContaining('PROCESS_FAILED'),
    })
    await gateway.set('1-2-late', 'late')
    expect((await gateway.status()).ready).toBe(true)
    writeFileSync(gateway.config, configOf())
    expect(await gateway.upgrade()).not.toBe(pid)
    expect((await under.stop()).failed).toEqual([])
    expect((await gateway.status()).routes).toBe(2)
  })

  test('that finds no program to start changes nothing either', async () => {
    const folder = tempRoot('node')
    onTestFinished(folder.remove)
    const node = join(folder.path, 'node')
    try {
      linkSync(process.execPath, node)
    } catch {
      copyFileSync(process.execPath, node)
    }
    const gateway = await started({ node })
    rmSync(node)
    await expect(gateway.run('upgrade')).rejects.toMatchObject({ code: 69, stderr: expect.stringContaining('ENOENT') })
    await gateway.set('1-2-late', 'late')
    expect(await ask(gateway, false)).toBe(5)
  })

  test('a signal asks for it as well', async () => {
    const gateway = await started()
    const before = childrenOf(gateway.gateway.pid)
    gateway.gateway.signal('SIGUSR2')
    await gateway.gateway.until(' drains')
    await expect.poll(() => childrenOf(gateway.gateway.pid).length, { timeout: 60_000 }).toBe(1)
    expect(childrenOf(gateway.gateway.pid)).not.toEqual(before)
    expect(await ask(gateway, false)).toBe(5)
  })

  test('has the root to itself, and ends with its parent', async () => {
    const gateway = await started()
    const second = follow(process.execPath, [bin, '--root', gateway.root, '--config', gateway.config], { cwd: gateway.root })
    expect(await second.ended).toBe(5)
    expect(second.stderr).toContain('BUSY')
    gateway.gateway.signal('SIGTERM')
    expect(await gateway.gateway.ended).toBe(0)
    await expect(gateway.run('upgrade')).rejects.toMatchObject({ code: 69, stderr: expect.stringContaining('NOT_RUNNING') })
  })

  test('a config that is refused at the first start ends it with its own code', async () => {
    const root = tempRoot('upgrade')
    onTestFinished(root.remove)
    writeFileSync(join(root.path, 'gateway.config.mts'), 'export default { plugins: 3 }')
    const gateway = follow(process.execPath, [bin, '--root', root.path, '--upgradable'], { cwd: root.path })
    expect(await gateway.ended).toBe(78)
    expect(gateway.stderr).toContain('CONFIG_INVALID')
  })
})
