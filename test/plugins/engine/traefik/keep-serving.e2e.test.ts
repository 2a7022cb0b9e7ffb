import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { bin, type GatewayProcess, gatewayProcess } from '../../../cli/gateway-process.ts'
import { freePort, http1, httpBackend, openTls, tempRoot } from '../../../kit/index.ts'
import { endKept, isRunning } from '../../../kit/kept.ts'
import { traefikPath } from '../../../kit/programs.ts'

const stand = async () => {
  const [http, https, api, feed, relay] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const root = tempRoot('keep')
  const web = await httpBackend('hello')
  const file = join(root.path, 'gateway.config.mts')
  const configure = (more = '') =>
    writeFileSync(
      file,
      `import { defineGateway } from 'zos-gateway'
import { level, processes, traefik, staticNode, nameProxy, localCa, httpApi } from 'zos-gateway/plugins'
export default defineGateway({ plugins: [level(), staticNode({ domain: 'gw.test' }), nameProxy(), localCa(), processes(),
  traefik({ command: ${JSON.stringify(traefikPath())}, http: { port: ${http} }, https: { port: ${https} }, api: { port: ${api} },
    issue: 'gateway', overHttp: { port: ${feed} }, relay: { port: ${relay} }, keepServing: true, drain: 1, ${more} }), httpApi({ tcp: false })] })
`,
    )
  configure()
  const record = () => JSON.parse(readFileSync(join(root.path, 'run/traefik.json'), 'utf8'))
  onTestFinished(async () => {
    await web.close()
    await endKept(root.path)
    await root.remove()
  })
  const run = (...words: string[]) =>
    promisify(execFile)(process.execPath, [bin, ...words, '--root', root.path], { timeout: 60_000 }).then(({ stdout }) => stdout)
  return {
    web,
    https,
    record,
    configure,
    start: (): GatewayProcess => gatewayProcess(['--config', file, '--root', root.path], { cwd: root.path }),
    set: (id: string, name: string) => run('set-name', id, name, web.url, '--wait'),
    run,
    ca: () => readFileSync(join(root.path, 'ca/root.pem'), 'utf8'),
  }
}

/** Asks over and over, half of it on connections that stay, until it is stopped; says what went wrong. */
const load = (port: number, name: string, ca: string) => {
  const failed: string[] = []
  let asked = 0
  let stopped = false
  const client = async (stays: boolean) => {
    const open = async () => http1(await openTls({ port }, { name, ca }))
    let connection = await open()
    while (!stopped) {
      const { status, text } = await connection.request('GET /', { Host: name })
      if (status !== 200 || text !== 'hello') failed.push(`${status} ${text}`)
      asked++
      if (stays) continue
      connection.close()
      connection = await open()
    }
    connection.close()
  }
  const clients = [true, true, false, false].map((stays) => client(stays).catch((error) => failed.push(String(error))))
  return {
    asked: () => asked,
    async end() {
      stopped = true
      await Promise.all(clients)
      return failed
    },
  }
}

it('is killed with its Traefik serving: no request fails over three kills and starts, and one Traefik serves all along', async () => {
  const { start, set, https, ca, record } = await stand()
  const first = start()
  await first.until('is up')
  await set('1-1-a', 'a')
  const traefik = record()
  const running = load(https, 'a.gw.test', ca())
  let gateway = first
  for (let kills = 0; kills < 3; kills++) {
    process.kill(gateway.pid, 'SIGKILL')
    await gateway.ended
    const before = running.asked()
    await expect.poll(running.asked, { timeout: 30_000 }).toBeGreaterThan(before + 20)
    gateway = start()
    await gateway.until('is up')
    expect(record()).toMatchObject({ pid: traefik.pid, start: traefik.start, hash: traefik.hash })
    await set(`1-${kills}-more`, `more${kills}`)
  }
  expect(await running.end()).toEqual([])
  expect(running.asked()).toBeGreaterThan(100)
  gateway.signal('SIGTERM')
  expect(await gateway.ended).toBe(0)
  const after = load(https, 'more2.gw.test', ca())
  await expect.poll(after.asked, { timeout: 30_000 }).toBeGreaterThan(20)
  expect(await after.end()).toEqual([])
})

it('is killed amid Sets: all that was answered is served by the next gateway', async () => {
  const { start, run, web, https, ca, set } = await stand()
  const first = start()
  await first.until('is up')
  await set('1-1-a', 'a')
  const answered: string[] = []
  const sets = Array.from({ length: 12 }, async (_, at) => {
    await run('set-name', `1-${at}-mid`, `mid${at}`, web.url)
    answered.push(`mid${at}`)
    if (answered.length === 3) process.kill(first.pid, 'SIGKILL')
  })
  await Promise.allSettled(sets)
  await first.ended
  await using second = start()
  await second.until('is up')
  expect(answered.length).toBeGreaterThan(2)
  for (const name of answered) {
    const asked = load(https, `${name}.gw.test`, ca())
    await expect.poll(asked.asked, { timeout: 30_000 }).toBeGreaterThan(3)
    expect(await asked.end()).toEqual([])
  }
})

it('replaces the Traefik that was left where the options changed', async () => {
  const { start, set, record, configure, https, ca } = await stand()
  const first = start()
  await first.until('is up')
  await set('1-1-a', 'a')
  const { pid, hash } = record()
  process.kill(first.pid, 'SIGKILL')
  await first.ended
  configure('limits: { idleSeconds: 20 }')
  await using second = start()
  await second.until('is up')
  await expect.poll(() => record().hash, { timeout: 30_000 }).not.toBe(hash)
  // It drains beside the new one.
  await expect.poll(() => isRunning(pid), { timeout: 30_000 }).toBe(false)
  const asked = load(https, 'a.gw.test', ca())
  await expect.poll(asked.asked, { timeout: 30_000 }).toBeGreaterThan(3)
  expect(await asked.end()).toEqual([])
})
