import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { createAuthority } from '../authority.ts'
import { freePort } from '../port.ts'
import { pebblePath } from '../programs.ts'
import { tempRoot } from '../root.ts'

export interface PebbleOptions {
  /** The resolver that it validates by, `host:port`. */
  readonly dns: string
  /** Ports on which it looks for http-01 and tls-alpn-01 answers; free ones by default. */
  readonly http?: number
  readonly tls?: number
  /** How many of a hundred nonces it refuses. Default 5. */
  readonly nonceReject?: number
  /** How many of a hundred valid authorizations it uses again. Default 0. */
  readonly authzReuse?: number
  /** External account keys, base64url by id; given, every account needs one. */
  readonly eab?: Readonly<Record<string, string>>
  readonly blocklist?: readonly string[]
  readonly caaIdentities?: readonly string[]
  /** Seconds that a certificate lives. Default 90 days. */
  readonly validity?: number
}
/** A CA for tests: what it issued is lost when it stops, as its accounts are. */
export interface Pebble {
  /** URL of the ACME directory. */
  readonly directory: string
  /** PEM of the root by which that URL is verified. */
  readonly trust: string
  /** The path of a file with that. */
  readonly trustFile: string
  readonly port: number
  readonly http: number
  readonly tls: number
  /** PEM of the root of what it issues now. */
  root(): Promise<string>
  /** What it says of a certificate's renewal from now on (RFC 9773): its PEM, and an answer as JSON. */
  setRenewal(chain: string, answer: object): Promise<void>
  stop(signal?: 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<void>
  start(): Promise<void>
  /** What it wrote, of late. */
  said(): string
  close(): Promise<void>
}

/** Let's Encrypt's test CA (RFC 8555) on free loopback ports. */
export const startPebble = async (options: PebbleOptions): Promise<Pebble> => {
  const folder = tempRoot('pebble')
  const [port, management, http, tls] = [
    await freePort(),
    await freePort(),
    options.http ?? (await freePort()),
    options.tls ?? (await freePort()),
  ]
  const authority = await createAuthority('pebble itself')
  const own = await authority.issue(['localhost', '127.0.0.1'])
  const config = join(folder.path, 'config.json')
  const trustFile = join(folder.path, 'trust.pem')
  await writeFile(trustFile, authority.root)
  await writeFile(join(folder.path, 'cert.pem'), own.chain)
  await writeFile(join(folder.path, 'key.pem'), own.key)
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: join(folder.path, 'cert.pem'),
    privateKey: join(folder.path, 'key.pem'),
    httpPort: http,
    tlsPort: tls,
    externalAccountBindingRequired: options.eab !== undefined,
    externalAccountMACKeys: options.eab ?? {},
    domainBlocklist: options.blocklist ?? [],
    caaIdentities: options.caaIdentities ?? [],
    keyAlgorithm: 'ecdsa',
    retryAfter: { authz: 0, order: 0 },
    profiles: { default: { description: 'of the tests', validityPeriod: options.validity ?? 90 * 86_400 } },
  }
  await writeFile(config, JSON.stringify({ pebble }))
  const env = {
    PEBBLE_VA_NOSLEEP: '1',
    PEBBLE_WFE_NONCEREJECT: String(options.nonceReject ?? 5),
    PEBBLE_AUTHZREUSE: String(options.authzReuse ?? 0),
  }
  let child: ChildProcess | undefined
  let said = ''
  const keep = (chunk: Buffer) => {
    said = (said + chunk).slice(-20_000)
  }
  const ask = (path: string, body?: string) => fetchText(management, path, authority.root, body)

  const start = async () => {
    if (child) return
    const running = spawn(pebblePath(), ['-config', config, '-dnsserver', options.dns], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child = running
    running.stdout.on('data', keep)
    running.stderr.on('data', keep)
    const ended = once(running, 'exit').then(([code]) => {
      throw new Error(`pebble ended with ${code} at its start: ${said}`)
    })
    ended.catch(() => undefined)
    await Promise.race([ended, answering(() => ask('/roots/0'))])
  }
  const stop: Pebble['stop'] = async (signal = 'SIGTERM') => {
    const ending = child
    if (signal !== 'SIGTERM') return void ending?.kill(signal)
    child = undefined
    if (!ending || ending.exitCode !== null) return
    const gone = once(ending, 'exit')
    ending.kill('SIGKILL')
    await gone
  }
  await start().catch(async (error: unknown) => {
    await stop()
    await folder.remove()
    throw error
  })
  const kill = () => child?.kill('SIGKILL')
  process.once('exit', kill)
  return {
    directory: `https://localhost:${port}/dir`,
    trust: authority.root,
    trustFile,
    port,
    http,
    tls,
    root: () => ask('/roots/0'),
    setRenewal: async (chain, answer) => {
      await ask('/set-renewal-info/', JSON.stringify({ certificate: chain, ariResponse: JSON.stringify(answer) }))
    },
    stop,
    start,
    said: () => said,
    close: async () => {
      process.off('exit', kill)
      await stop()
      await folder.remove()
    },
  }
}

const answering = async (ask: () => Promise<unknown>) => {
  for (const until = Date.now() + 20_000; ; ) {
    try {
      return await ask()
    } catch (error) {
      if (Date.now() > until) throw new Error('pebble did not answer within 20 s', { cause: error })
      await new Promise((done) => setTimeout(done, 20))
    }
  }
}

const fetchText = (port: number, path: string, ca: string, body?: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const req = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        ca,
        servername: 'localhost',
        timeout: 5_000,
        headers: { 'user-agent': 'test kit' },
      },
      async (res) => {
        let text = ''
        for await (const chunk of res) text += chunk
        if ((res.statusCode ?? 500) >= 300) reject(new Error(`pebble answered ${res.statusCode} to ${path}: ${text}`))
        else resolve(text)
      },
    )
    req.on('error', reject)
    req.on('timeout', () => req.destroy(new Error(`pebble did not answer to ${path}`)))
    req.end(body)
  })
