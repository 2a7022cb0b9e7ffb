import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verbs } from '../../cli/verbs.ts'
import { freePort, tempRoot } from '../kit/index.ts'
import { bin, type GatewayProcess, gatewayProcess } from './gateway-process.ts'

/** The shipped config without zbus, on ports of its own. `plugins` can be changed under the running gateway. */
const configOf = (plugins = 'local(flags)') => `import { defineGateway } from 'zos-gateway'
import { httpApi } from 'zos-gateway/plugins'
import { local } from 'zos-gateway/presets'
export default defineGateway((flags) => ({ plugins: ${plugins}.filter(({ name }) => name !== 'transport/zbus') }))
`
const root = tempRoot()
const config = join(root.path, 'gateway.config.mts')
let gateway: GatewayProcess
let api: number
const backend = createServer((_, response) => response.end('hello'))
let port: number

beforeAll(async () => {
  writeFileSync(config, configOf())
  const ports = [await freePort(), await freePort(), await freePort()]
  api = ports[2] ?? 0
  const flags = ['--config', config, '--root', root.path, '--http', `${ports[0]}`, '--https', `${ports[1]}`, '--api', `${api}`]
  gateway = gatewayProcess(flags, { cwd: root.path })
  backend.listen(0, '127.0.0.1')
  await Promise.all([gateway.until('is up'), once(backend, 'listening')])
  const address = backend.address()
  port = typeof address === 'object' && address ? address.port : 0
})
afterAll(async () => {
  backend.close()
  await gateway[Symbol.asyncDispose]()
  await root.remove()
})

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly json: any
}
const run = (line: string, env: NodeJS.ProcessEnv = { GATEWAY_ROOT: root.path }): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [bin, ...line.split(' ')],
      { env: { ...process.env, ...env }, timeout: 20_000 },
      (error, stdout, stderr) => {
        resolve({
          code: typeof error?.code === 'number' ? error.code : error ? -1 : 0,
          stdout,
          stderr,
          json: /^[[{]/.test(stdout) && !line.startsWith('events') ? JSON.parse(stdout) : undefined,
        })
      },
    )
  })

describe('gateway doctor and dns-records', () => {
  test('say what stands in the way of a name, and exit with 2 for it', async () => {
    const { code, stdout } = await run('doctor hello --json')
    const { host, findings } = JSON.parse(stdout)
    expect(host).toBe('hello.gw.localhost')
    expect(findings).toContainEqual(expect.objectContaining({ check: 'address', state: 'ok' }))
    expect(code).toBe(findings.some(({ state }: { state: string }) => state === 'bad') ? 2 : 0)
  })
  test('explain each finding to people', async () => {
    const { stdout } = await run('doctor hello')
    expect(stdout).toMatch(/^hello\.gw\.localhost\n {2}ok +address +hello\.gw\.localhost points to this node\n/)
    expect(stdout).toMatch(/\n {2}warn port-443 .*no certificate for hello\.gw\.localhost\n +-> `gateway certs`/)
  })
  test('print the lines of the zone', async () => {
    expect((await run('dns-records')).stdout.split('\n')[0]).toBe('gw.localhost. 300 IN A 127.0.0.1')
  })
  test('refuse what is no name', async () =>
    expect(await run('doctor 127.0.0.1')).toMatchObject({ code: 2, stderr: expect.stringContaining('INVALID_FQDN') }))
})

describe('the life of a workload', () => {
  test('set, get, list, metrics, certs, events, delete: for people and with --json', async () => {
    const set = await run(`set-name 1-1-life life http://127.0.0.1:${port} --wait`)
    expect(set).toMatchObject({ code: 0, stderr: '' })
    expect(set.stdout).toMatch(/^https:\/\/life\.gw\.localhost:\d+\/ -> http:\/\/127\.0\.0\.1:\d+ \(live after \d+ ms\)\n$/)

    const got = await run('get 1-1-life --json')
    expect(got.json).toMatchObject({
      id: '1-1-life',
      kind: 'name',
      host: 'life.gw.localhost',
      backends: [`http://127.0.0.1:${port}`],
    })
    expect((await run('get 1-1-life')).stdout).toMatch(/^url +https:\/\/life/m)
    expect((await run('list --json')).json.map(({ id }: { id: string }) => id)).toContain('1-1-life')
    expect((await run('list --tenant 1')).stdout).toMatch(/^ID +URL +BACKENDS +TLS\n1-1-life +https/)
    expect((await run('list --tenant nobody')).stdout).toBe('no workloads\n')

    const [certificate] = (await run('certs --json')).json
    expect(certificate).toMatchObject({ names: ['*.gw.localhost', 'gw.localhost'], state: 'ready' })
    expect((await run('certs')).stdout).toContain(certificate.id)
    expect(await run(`certs --renew ${certificate.id}`)).toMatchObject({ code: 0, stdout: `${certificate.id} is renewed\n` })
    expect((await run('metrics --json')).json).toMatchObject({ workloads: {} })

    const events = (await run('events')).stdout
    expect(events).toMatch(/ applied route=1-1-life https:\/\/life\.gw\.localhost/)
    const lines = (await run('events --json --since 0')).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.find(({ type }) => type === 'applied')).toMatchObject({ route: { id: '1-1-life' } })

    expect(await run('delete 1-1-life')).toMatchObject({ code: 0, stdout: '1-1-life is not served\n' })
    expect(await run('delete 1-1-life --json')).toMatchObject({ code: 0, json: { id: '1-1-life', deleted: true } })
    expect(await run('get 1-1-life')).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringMatching(/^gateway: NOT_FOUND: /),
    })
  })

  test('several backends, passthrough, and a change', async () => {
    expect(await run('set-name 1-2-tcp tcp 127.0.0.1:9001 127.0.0.1:9002 --passthrough --json')).toMatchObject({
      code: 0,
      json: { passthrough: true, backends: ['127.0.0.1:9001', '127.0.0.1:9002'], tls: { mode: 'passthrough' } },
    })
    expect((await run('set-name --passthrough 1-2-tcp tcp 127.0.0.1:9003 --json')).json.backends).toEqual(['127.0.0.1:9003'])
    await run('delete 1-2-tcp')
  })

  test('a plan says what would be, does nothing, and exits as the set would', async () => {
    const plan = `plan set-name 1-3-plan plan http://127.0.0.1:${port}`
    expect(await run(plan)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^would serve https:\/\/plan\.gw\.localhost/),
    })
    expect((await run(`${plan} --json`)).json).toMatchObject({ route: { host: 'plan.gw.localhost' }, problems: [] })
    expect((await run('get 1-3-plan')).code).toBe(4)
    const bad = await run(`plan set-name 1-3-plan plan http://169.254.1.1:80 --json`)
    expect(bad.code).toBe(2)
    expect(bad.json.problems.map(({ code }: { code: string }) => code)).toEqual(expect.arrayContaining(['BACKEND_FORBIDDEN']))
    expect((await run('plan delete 1-3-plan x http://127.0.0.1:1')).stderr).toContain('plan set-fqdn or set-name')
  })
})

describe('what is refused', () => {
  test.each([
    ['lst', 2, /unknown command "lst" \(did you mean list\?/],
    ['list --knd name', 2, /unknown flag --knd \(did you mean --kind\?/],
    ['list --kind tcp', 2, /--kind.*fqdn, name/],
    ['list more', 2, /takes no words, not 1/],
    ['set-name', 2, /ID/],
    ['set-name 1-1-x x', 2, /BACKEND/],
    ['get 1-1-x --root', 2, /--root needs a value/],
    ['get 1-1-x --json=yes', 2, /--json takes no value/],
    ['get a.b', 2, /INVALID_ID/],
    ['get ..', 2, /INVALID_ID/],
    ['delete ', 2, /INVALID_ID: invalid workload id ''/],
    ['set-name . x http://127.0.0.1:1', 2, /INVALID_ID/],
    ['status --url ftp://x', 2, /no http or https URL/],
    ['certs --renew nope', 4, /NOT_FOUND/],
    ['metrics 1-1-nobody', 4, /NOT_FOUND/],
    ['events --since yesterday', 2, /since/],
  ])('%s ends with %d', async (line, code, why) => {
    const ran = await run(line)
    expect([ran.code, ran.stdout]).toEqual([code, ''])
    expect(ran.stderr).toMatch(why)
    expect(ran.stderr).toMatch(/^gateway: [A-Z_]+: .*\(.*\)\n$/)
  })

  test('every problem is told, one a line, and with --json as one object', async () => {
    const line = 'set-fqdn 1-1-bad no ftp://x 10.0.0.1'
    const told = (await run(line)).stderr.trim().split('\n')
    expect(told.map((each) => each.split(': ')[1])).toEqual(['INVALID_BACKEND', 'INVALID_BACKEND', 'INVALID_FQDN'])
    const ran = await run(`${line} --json`)
    expect(JSON.parse(ran.stderr)).toMatchObject({ code: 'INVALID_BACKEND', problems: [{}, {}, { code: 'INVALID_FQDN' }] })
  })
})

describe('which gateway is asked', () => {
  const nowhere = join(root.path, 'nowhere')
  test('where none runs, it says how to start one', async () => {
    for (const [line, env] of [
      [`status --root ${nowhere}`, {}],
      ['status', { GATEWAY_ROOT: nowhere }],
      [`list --socket ${nowhere}/gateway.sock`, {}],
    ] as const) {
      const ran = await run(line, env)
      expect([ran.code, ran.stdout]).toEqual([69, ''])
      expect(ran.stderr).toBe(
        `gateway: NOT_RUNNING: no gateway answers at ${nowhere}/gateway.sock (start one with \`gateway\`; if it runs with another --root, give the same here)\n`,
      )
    }
    expect((await run('status --url http://127.0.0.1:1')).code).toBe(69)
  })

  test('a flag goes before a variable, and the socket before the root', async () => {
    const env = { GATEWAY_ROOT: nowhere, GATEWAY_URL: '' }
    expect((await run(`status --root ${root.path}`, env)).code).toBe(0)
    expect((await run(`status --socket ${root.path}/gateway.sock`, env)).code).toBe(0)
    expect((await run('status', { ...env, GATEWAY_SOCKET: join(root.path, 'gateway.sock') })).code).toBe(0)
    expect((await run(`status --url http://127.0.0.1:${api}`, env)).code).toBe(0)
    expect((await run('status', { ...env, GATEWAY_URL: `http://localhost:${api}` })).code).toBe(0)
    expect((await run(`status --root ${nowhere}`, { GATEWAY_URL: `http://localhost:${api}` })).code).toBe(69)
  })

  test('an API that is mounted below a path is asked there', async () => {
    const front = createServer((asked, response) => {
      const path = asked.url?.match(/^\/gateway(\/.*)/)?.[1]
      if (path === undefined) response.writeHead(404).end()
      else
        get(`http://127.0.0.1:${api}${path}`, (answer) =>
          answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers)),
        )
    })
    await once(front.listen(0, '127.0.0.1'), 'listening')
    const address = front.address()
    const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
    for (const at of [`${url}/gateway`, `${url}/gateway/`])
      expect((await run(`status --json --url ${at}`)).json).toMatchObject({ ready: true, root: root.path })
    expect((await run(`status --url ${url}`)).code).toBe(2)
    front.close()
  })

  test('what is no gateway is told apart', async () => {
    expect(await run(`status --url http://127.0.0.1:${port}`)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('does not answer like a gateway'),
    })
  })

  test('a token is made that the API takes, and only its hash goes in the config', async () => {
    const made = (await run('token --scope read --json')).json
    expect(made.hash).toBe(`sha256:${createHash('sha256').update(made.token).digest('hex')}`)
    expect((await run('token')).stdout).toMatch(
      /^token: {2}gwt_[\w-]{43}\n.*\nconfig: httpApi\(\{ tokens: \[\{ hash: 'sha256:[0-9a-f]{64}', scope: 'write' \}\] \}\)\n$/,
    )

    const other = tempRoot()
    const guarded = `[...local(flags).filter(({ name }) => name !== 'transport/http-api'), httpApi({ tcp: { port: flags.api }, tokens: [{ hash: '${made.hash}', scope: 'read' }] })]`
    writeFileSync(join(other.path, 'gateway.config.mts'), configOf(guarded))
    const ports = [await freePort(), await freePort(), await freePort()]
    const flags = ['--root', other.path, '--http', `${ports[0]}`, '--https', `${ports[1]}`, '--api', `${ports[2]}`]
    await using running = gatewayProcess(flags, { cwd: other.path })
    await running.until('is up')
    const url = `--url http://127.0.0.1:${ports[2]}`
    expect(await run(`status ${url}`)).toMatchObject({ code: 2, stderr: expect.stringContaining('UNAUTHORIZED') })
    expect((await run(`status ${url} --token ${made.token}`)).code).toBe(0)
    expect((await run(`status ${url}`, { GATEWAY_TOKEN: made.token })).code).toBe(0)
    expect(await run(`delete 1-1-x ${url}`, { GATEWAY_TOKEN: made.token })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('FORBIDDEN'),
    })
    expect(running.stderr).not.toContain(made.token)
    running.signal('SIGTERM')
    expect(await running.ended).toBe(0)
    await other.remove()
  })
})

describe('status, reload and help', () => {
  test('status shows every plugin', async () => {
    const { stdout, json } = { ...(await run('status')), json: (await run('status --json')).json }
    expect(stdout).toMatch(/^zos-gateway \d+\.\d+\.\d+ is ready: \d+ workloads?\nup for .*, root .*\n\nPLUGIN +STATE/)
    for (const { name } of json.plugins) expect(stdout).toContain(name)
  })

  test('a changed config is taken, a wrong one refused while the old runs on', async () => {
    writeFileSync(config, configOf("local(flags).filter(({ name }) => name !== 'workload/fqdn-proxy')"))
    expect(await run('reload')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/removed: workload\/fqdn-proxy\n\d+ plugins run on unchanged/),
    })
    writeFileSync(config, 'export default {')
    expect(await run('reload')).toMatchObject({ code: 78, stderr: expect.stringContaining('CONFIG_INVALID') })
    expect((await run('status')).code).toBe(0)
    writeFileSync(config, configOf())
    expect((await run('reload --json')).json.added).toEqual(['workload/fqdn-proxy'])
  })

  test('--help shows every command, and each explains itself with examples', async () => {
    const overview = await run('--help')
    expect(overview.code).toBe(0)
    for (const name of Object.keys(verbs)) expect(overview.stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
    const helps = await Promise.all(Object.keys(verbs).map(async (name) => [name, await run(`${name} --help`)] as const))
    for (const [name, { code, stdout }] of helps) {
      expect([name, code]).toEqual([name, 0])
      expect(stdout).toContain(verbs[name]?.summary)
      expect(stdout).toMatch(/\nUsage:\n {2}gateway /)
      expect(stdout).toMatch(/\nExamples:\n {2}gateway/)
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(130)
    }
    expect((await run('help set-name')).stdout).toBe((await run('set-name -h')).stdout)
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('streams', () => {
  test('events -f shows what happens, and Ctrl-C ends it without a word', async () => {
    await using follower = gatewayProcess(['events', '-f', '--since', '0', '--root', root.path], { cwd: root.path })
    await run(`set-name 1-4-follow follow http://127.0.0.1:${port}`)
    await follower.until('applied route=1-4-follow')
    follower.signal('SIGINT')
    expect(await follower.ended).toBe('SIGINT')
    expect(follower.stderr).toBe('')
  })

  test('a reader that goes away, such as head, is no error', async () => {
    const child = spawn(process.execPath, [bin, 'events', '-f', '--since', '0', '--root', root.path], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stderr = ''
    child.stderr.on('data', (text) => {
      stderr += text
    })
    await once(child.stdout, 'data')
    child.stdout.destroy()
    const exit = once(child, 'exit')
    for (let n = 0; child.exitCode === null && n < 20; n++) await run(`set-name 1-5-pipe pipe http://127.0.0.1:${port + n}`)
    expect(await exit).toEqual([0, null])
    expect(stderr).toBe('')
  })

  test('a gateway that stops ends its followers, which say how to go on', async () => {
    await using follower = gatewayProcess(['events', '-f', '--since', '0', '--root', root.path], { cwd: root.path })
    await follower.until('applied')
    gateway.signal('SIGTERM')
    expect(await follower.ended).toBe(69)
    expect(follower.stderr).toMatch(/NOT_RUNNING: .* closed the stream \(go on with: gateway events -f --since \d+\)/)
    expect(await gateway.ended).toBe(0)
  })
})
