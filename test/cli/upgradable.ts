import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, get, request } from 'node:https'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import { echoWebSocket, freePort, httpBackend, openH2, openTls, openWebSocket, tempRoot } from '../kit/index.ts'
import { bin, follow } from './gateway-process.ts'

const execute = promisify(execFile)
const name = 'hello.gw.localhost'

/** `more`: plugins beside the usual ones; one of a usual name takes its place. */
export const configOf = (more = '') => `import { defineGateway, definePlugin } from 'zos-gateway'
import { embedded } from 'zos-gateway/plugins'
import { local } from 'zos-gateway/presets'
export default defineGateway((flags) => {
  const more = [${more}]
  const usual = local(flags).filter(({ name }) => name !== 'transport/zbus' && !more.some((own) => own?.name === name))
  return { plugins: [...usual, ...more] }
})
`
/** A gateway that can be upgraded, with one name that it serves. */
export const started = async ({ program = bin, node = process.execPath, more = '' } = {}) => {
  const root = tempRoot('upgrade')
  const config = join(root.path, 'gateway.config.mts')
  writeFileSync(config, configOf(more))
  const [http, https, api] = [await freePort(), await freePort(), await freePort()]
  const flags = ['--config', config, '--root', root.path, '--http', `${http}`, '--https', `${https}`, '--api', `${api}`]
  const gateway = follow(node, [program, ...flags, '--upgradable'], { cwd: root.path })
  onTestFinished(async () => {
    gateway.signal('SIGTERM')
    await gateway.ended
    await root.remove()
  })
  await gateway.until('is up')
  const held = Promise.withResolvers<void>()
  const backend = await httpBackend(
    (asked, response) => {
      if (asked.url === '/held') {
        response.write('begun ')
        void held.promise.then(() => response.end('and ended'))
        return
      }
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
  const h2 = async () => {
    const client = await openH2({ port: https }, { name, ca })
    onTestFinished(client.close)
    return client
  }
  const webSocket = async () => {
    const talk = await openWebSocket(await openTls({ port: https }, { name, ca }), name)
    onTestFinished(talk.close)
    return talk
  }
  const upgrade = async (): Promise<number> => JSON.parse((await run('upgrade', '--json')).stdout).pid
  /** What `gateway metrics` comes to say of the one name. */
  const carried = (request: number, response: number) =>
    expect
      .poll(async () => JSON.parse((await run('metrics', '--json')).stdout).workloads['1-1-hello'], { timeout: 60_000 })
      .toEqual({ request, response })
  return {
    root: root.path,
    flags,
    config,
    gateway,
    https,
    ca,
    run,
    set,
    status,
    h2,
    webSocket,
    upgrade,
    carried,
    release: held.resolve,
  }
}
export type Started = Awaited<ReturnType<typeof started>>

/** One answer; rejects where it is not the backend's. */
export const ask = (
  { https, ca }: Pick<Started, 'https' | 'ca'>,
  agent: Agent | false,
  body?: string,
  socket?: Socket,
): Promise<number> =>
  new Promise((resolve, reject) => {
    const at = socket
      ? { createConnection: () => connect({ socket, servername: name, ca }) }
      : { host: '127.0.0.1', port: https, agent }
    const options = { ...at, servername: name, ca, headers: { host: name }, timeout: 60_000 }
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

/** The error of a request that was not processed, as the server said: a client sends it again (RFC 9113 section 8.7). */
const unprocessed = (error: unknown) =>
  error instanceof Error &&
  /NGHTTP2_REFUSED_STREAM|ERR_HTTP2_GOAWAY_SESSION|ERR_HTTP2_INVALID_SESSION/.test(`${error} ${Reflect.get(error, 'code')}`)

/** Says whether this process stood still of late: a client that does finds its idle connections closed, whatever the server. */
const standstills = () => {
  let [last, stood] = [performance.now(), Number.NEGATIVE_INFINITY]
  const look = () => {
    const now = performance.now()
    if (now - last > 200) stood = now
    last = now
    return now - stood < 2_000
  }
  const timer = setInterval(look, 20)
  return { ofLate: look, end: () => clearInterval(timer) }
}

/** Asks all the time, over kept and over new connections and over HTTP/2, until it is stopped; tells what failed and how many bytes came. */
export const load = (gateway: Started) => {
  let [stopped, bytes, answers] = [false, 0, 0]
  const failed: unknown[] = []
  const still = standstills()
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const over = async (asking: () => Promise<number>) => {
    try {
      const got = await asking()
      bytes += got
      answers++
      // Not so many that nobody else gets to do anything; and a connection without a request for a moment is what a stop must not take for idle.
      await wait(3)
    } catch (error) {
      if (error instanceof Error && /ECONNRESET|EPIPE/.test(String(Reflect.get(error, 'code'))) && still.ofLate()) return
      failed.push(error)
    }
  }
  const client = async (agentOrNone: Agent | false, body?: string) => {
    while (!stopped) await over(() => ask(gateway, agentOrNone, body))
  }
  const streams = async () => {
    let client = await gateway.h2()
    const stream = async (body?: string): Promise<number> => {
      try {
        const { status, text } = await client.request({ headers: { ':method': body ? 'POST' : 'GET' }, ...(body && { body }) })
        if (status !== 200 || text !== `hello${body ?? ''}`) throw new Error(`${status} ${text}`)
        return text.length
      } catch (error) {
        if (!unprocessed(error)) throw error
        return 0
      }
    }
    while (!stopped) {
      await Promise.all([over(stream), over(stream), over(() => stream('body')), over(stream)])
      if (client.session.closed) client = await gateway.h2()
    }
  }
  const running = [client(agent), client(agent), client(agent, 'body'), client(false), client(false, 'body'), streams()]
  return {
    get answers() {
      return answers
    },
    async stop() {
      stopped = true
      await Promise.all(running)
      still.end()
      agent.destroy()
      return { failed, bytes }
    },
  }
}
