import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, get, request } from 'node:https'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freshCopy } from '../e2e/fresh-copy.ts'
import { echoWebSocket, freePort, httpBackend, openTls, openWebSocket, tempRoot } from '../kit/index.ts'
import { bin, follow } from './gateway-process.ts'

const execute = promisify(execFile)
const name = 'hello.gw.localhost'

const configOf = (more = '') => `import { defineGateway, definePlugin } from 'zos-gateway'
import { local } from 'zos-gateway/presets'
export default defineGateway((flags) => ({ plugins: [...local(flags).filter(({ name }) => name !== 'transport/zbus'), ${more}] }))
`
/** A gateway that can be upgraded, with one name that it serves. */
const started = async (program = bin) => {
  const root = tempRoot('upgrade')
  const config = join(root.path, 'gateway.config.mts')
  writeFileSync(config, configOf())
  const [http, https, api] = [await freePort(), await freePort(), await freePort()]
  const flags = ['--config', config, '--root', root.path, '--http', `${http}`, '--https', `${https}`, '--api', `${api}`]
  const gateway = follow(process.execPath, [program, ...flags, '--upgradable'], { cwd: root.path })
  onTestFinished(async () => {
    gateway.signal('SIGTERM')
    await gateway.ended
    await root.remove()
  })
  await gateway.until('is up')
  const backend = await httpBackend(
    (asked, response) => {
      const parts: Buffer[] = []
      asked.on('data', (part) => parts.push(part))
      asked.on('end', () => response.end(Buffer.concat([Buffer.from('hello'), ...parts])))
    },
    { upgrade: echoWebSocket },
  )
  onTestFinished(backend.close)
  const run = (...words: string[]) =>
    execute(process.execPath, [program, ...words], { env: { ...process.env, GATEWAY_ROOT: root.path }, timeout: 120_000 })
  const set = (id: string, label: string) => run('set-name', id, label, backend.url)
  await set('1-1-hello', 'hello')
  const ca = readFileSync(join(root.path, 'ca', 'root.pem'), 'utf8')
  const status = async () => JSON.parse((await run('status', '--json')).stdout)
  return { root: root.path, config, gateway, https, api, ca, run, set, status, backend }
}
type Started = Awaited<ReturnType<typeof started>>

/** One answer; rejects where it is not the backend's. */
const ask = ({ https, ca }: Started, agent: Agent | false, body?: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: https, servername: name, ca, agent, headers: { host: name }, timeout: 60_000 }
    const asked = body === undefined ? get(options) : request({ ...options, method: 'POST' })
    asked.on('error', reject).on('timeout', () => asked.destroy(new Error('no answer')))
    asked.on('response', async (response) => {
      try {
        const text = Buffer.concat(await response.toArray()).toString()
        if (response.statusCode === 200 && text === `hello${body ?? ''}`) resolve(text.length)
        else reject(new Error(`${response.statusCode} ${text}`))
      } catch (error) {
        reject(error)
      }
    })
    if (body !== undefined) asked.end(body)
  })

/** Asks all the time, over kept and over new connections, until it is stopped; tells what failed and how many bytes came. */
const load = (gateway: Started) => {
  let [stopped, bytes, answers] = [false, 0, 0]
  const failed: unknown[] = []
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const client = async (agentOrNone: Agent | false, body?: string) => {
    while (!stopped) {
      try {
        const got = await ask(gateway, agentOrNone, body)
        bytes += got
        answers++
      } catch (error) {
        failed.push(error)
      }
    }
  }
  const running = [client(agent), client(agent), client(agent, 'body'), client(false), client(false, 'body')]
  return {
    get answers() {
      return answers
    },
    async stop() {
      stopped = true
      await Promise.all(running)
      agent.destroy()
      return { failed, bytes }
    },
  }
}

describe('gateway upgrade', () => {
  test('drops no request under load, counts every byte, and lets a WebSocket go on', async () => {
    const gateway = await started()
    const socket = await openTls({ port: gateway.https }, { name, ca: gateway.ca })
    const talk = await openWebSocket(socket, name)
    const under = load(gateway)
    const pids = new Set<number>()
    for (let round = 0; round < 3; round++) {
      const before = under.answers
      await expect.poll(() => under.answers, { timeout: 60_000 }).toBeGreaterThan(before + 20)
      const { stdout } = await gateway.run('upgrade', '--json')
      pids.add(JSON.parse(stdout).pid)
      if (round > 0) continue
      // Through the first gateway, which is not done as long as this is.
      await talk.send('still here')
      expect((await talk.next()).data.toString()).toBe('still here')
      talk.close()
    }
    await gateway.set('1-2-late', 'late')
    const { failed, bytes } = await under.stop()
    expect(failed).toEqual([])
    expect(pids.size).toBe(3)
    const summed = async () => JSON.parse((await gateway.run('metrics', '--json')).stdout)
    // What the earlier gateways carried comes in when they are done with it.
    await expect
      .poll(async () => JSON.stringify(await summed()).match(/"1-1-hello".*?"response":(\d+)/)?.[1], { timeout: 60_000 })
      .toBe(String(bytes + 12))
  })

  test('starts what is on the disk now', async () => {
    const copy = freshCopy({ installed: true })
    onTestFinished(copy.remove)
    const gateway = await started(join(copy.path, 'bin', 'gateway.js'))
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
  ] as const)('with %s changes nothing: the one before serves on and takes operations', async ([, plugin]) => {
    const gateway = await started()
    const under = load(gateway)
    const { pid } = JSON.parse((await gateway.run('upgrade', '--json')).stdout)
    writeFileSync(gateway.config, configOf(plugin))
    await expect(gateway.run('upgrade', '--json')).rejects.toMatchObject({
      code: 69,
      stderr: expect.stringContaining('PROCESS_FAILED'),
    })
    await gateway.set('1-2-late', 'late')
    expect((await gateway.status()).ready).toBe(true)
    writeFileSync(gateway.config, configOf())
    const again = JSON.parse((await gateway.run('upgrade', '--json')).stdout)
    expect(again.pid).not.toBe(pid)
    expect((await under.stop()).failed).toEqual([])
    expect((await gateway.status()).routes).toBe(2)
  })

  test('a signal asks for it as well; a killed gateway is started again, and who connects meanwhile waits', async () => {
    const gateway = await started()
    gateway.gateway.signal('SIGUSR2')
    await gateway.gateway.until(' drains')
    const { pid } = JSON.parse((await gateway.run('upgrade', '--json')).stdout)
    process.kill(pid, 'SIGKILL')
    // Every one of these connects, whether somebody accepts already or not.
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => ask(gateway, false)))
    const cut = answers.filter(({ status }) => status === 'rejected')
    // A connection that the killed one had accepted is lost with it.
    expect(cut.length).toBeLessThan(20)
    expect(await ask(gateway, false)).toBe(5)
    await gateway.set('1-2-late', 'late')
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
