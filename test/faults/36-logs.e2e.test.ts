import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import { createClient } from '../../lib/zbus/index.ts'
import { bin, gatewayProcess } from '../cli/gateway-process.ts'
import { freePort, startRedis, tempRoot } from '../kit/index.ts'
import { canary, secretsIn } from '../kit/said.ts'
import { fault } from './fault.ts'

const execute = promisify(execFile)

/** A gateway with a password to its broker and a token, whose whole log is at hand once it has ended. */
const logged = async () => {
  const root = tempRoot('logs')
  onTestFinished(root.remove)
  const [password, token] = [canary('redis'), canary('token')]
  const redis = await startRedis({ args: ['--requirepass', password] })
  onTestFinished(redis.close)
  const [http, https, api] = [await freePort(), await freePort(), await freePort()]
  const hash = `sha256:${createHash('sha256').update(token).digest('hex')}`
  const accessLog = join(root.path, 'access.log')
  writeFileSync(
    join(root.path, 'gateway.config.mts'),
    `import { defineGateway } from 'zos-gateway'
import { embedded, httpApi } from 'zos-gateway/plugins'
import { local } from 'zos-gateway/presets'
const own = [
  embedded({ http: { port: ${http}, redirect: false }, https: { port: ${https} }, accessLog: '${accessLog}' }),
  httpApi({ tcp: { port: ${api} }, tokens: [{ hash: '${hash}', scope: 'write', name: 'ci\\u001b[2J' }] }),
]
export default defineGateway((flags) => ({ plugins: local(flags).map((plugin) => own.find(({ name }) => name === plugin.name) ?? plugin) }))
`,
  )
  const broker = `tcp://${password}@127.0.0.1:${redis.port}`
  const gateway = gatewayProcess(['--root', join(root.path, 'root'), '--broker', broker], { cwd: root.path })
  onTestFinished(() => gateway[Symbol.asyncDispose]())
  await gateway.until('is up')
  const call = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${api}${path}`, {
      ...init,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...init.headers },
    })
  const run = (...words: string[]) =>
    execute(process.execPath, [bin, ...words], { env: { ...process.env, GATEWAY_ROOT: join(root.path, 'root') } }).then(
      ({ stdout, stderr }) => stdout + stderr,
      ({ stdout, stderr }) => String(stdout) + String(stderr),
    )
  const end = async () => {
    gateway.signal('SIGTERM')
    await gateway.ended
    return { log: gateway.stderr, access: readFileSync(accessLog, 'utf8') }
  }
  return { redis, broker, call, run, end, http, gateway, password }
}

const odd = [
  '\r\n{"level":50,"msg":"forged"}',
  '\u001b[2J\u001b]0;owned\u0007',
  'a\u2028b\u2029c',
  '\u0085\u009b31m',
  '\0',
  '\u202e',
]

fault(36, 'whatever tenants send, every line of the logs is one JSON document of printable text', async () => {
  const { broker, call, run, end, http } = await logged()
  const zbus = createClient({ broker })
  onTestFinished(() => zbus.close())
  const object = { name: 'gateway', version: '0.0.1' }
  for (const text of odd) {
    const ask = (args: unknown[]) => zbus.call('gateway', object, 'SetNamedProxy', args, { timeout: 60_000 })
    await expect(ask([`1-1-${text}`, 'name', ['http://127.0.0.1:9'], false])).rejects.toThrow('INVALID_ID')
    await expect(ask(['1-1-a', `n${text}`, ['http://127.0.0.1:9'], false])).rejects.toThrow('INVALID_NAME')
    await expect(ask(['1-1-a', 'name', [`http://127.0.0.1:9${text}`], false])).rejects.toThrow('INVALID_BACKEND')
    for (const field of ['fqdn', 'name', 'network'])
      await call('/v1/workloads/1-1-a', {
        method: 'PUT',
        body: JSON.stringify({ [field]: `x${text}`, backends: ['http://127.0.0.1:9'] }),
      })
    await call(`/v1/workloads/${encodeURIComponent(`1-1-${text}`)}`, { method: 'DELETE' })
    await call(`/v1/${encodeURIComponent(text)}`, { method: 'POST', body: '{}' })
    await fetch(`http://127.0.0.1:${http}/${encodeURIComponent(text)}?${encodeURIComponent(text)}`, {
      headers: { 'user-agent': 'evil' },
    }).catch(() => undefined)
  }
  await call('/v1/workloads/1-1-a', { method: 'PUT', body: JSON.stringify({ name: 'real', backends: ['http://127.0.0.1:9'] }) })
  await fetch(`http://127.0.0.1:${http}/%1b%5b2J`, { headers: { host: 'real.gw.localhost' } }).catch(() => undefined)
  // What a person reads on a terminal has nothing that moves its cursor either.
  const shown = await run('events')
  const { log, access } = await end()
  const lines = [...log.trimEnd().split('\n'), ...access.trimEnd().split('\n')].filter((line) => line !== '')
  expect(lines.length).toBeGreaterThan(5)
  for (const line of lines) expect(() => JSON.parse(line), line).not.toThrow()
  const unprintable = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202e]/
  expect(lines.filter((line) => unprintable.test(line))).toEqual([])
  expect(lines.filter((line) => JSON.parse(line).msg === 'forged')).toEqual([])
  expect(shown.split('\n').filter((line) => unprintable.test(line))).toEqual([])
})

fault(
  36,
  'no secret is logged: the password of the broker, tokens, credentials in backends and requests, private keys',
  async () => {
    const { redis, call, run, end, gateway, password } = await logged()
    const loose = canary('loose')
    const bodies = [
      { name: 'a', backends: [`http://user:${loose}@127.0.0.1:9`] },
      { fqdn: 'a.localhost', backends: [`https://${loose}@127.0.0.1:9/`] },
      { name: 'b', backends: ['http://127.0.0.1:9'] },
    ]
    for (const [at, body] of bodies.entries())
      await call(`/v1/workloads/1-${at}-w`, { method: 'PUT', body: JSON.stringify(body) })
    for (const authorization of [`Bearer ${loose}`, `Basic ${loose}`, loose])
      await call('/v1/workloads', { headers: { authorization } })
    await call(`/v1/workloads?token=${loose}`)
    await call('/v1/certificates')
    // The broker goes and comes, with another password for a while.
    await redis.stop('SIGKILL')
    await gateway.until('zbus has no broker')
    await redis.start()
    await gateway.until('zbus is back')
    const told = (await run('status', '--json')) + (await run('status')) + (await run('certs', '--json')) + (await run('events'))
    const { log, access } = await end()
    expect(secretsIn(log + access)).toEqual([])
    expect(secretsIn(told)).toEqual([])
    expect(log).toContain('zbus has no broker')
    expect(log).not.toContain(password)
  },
)
