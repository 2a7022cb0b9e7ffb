import { Agent, type IncomingMessage, request } from 'node:http'
import { request as requestTls } from 'node:https'
import { connect, type Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls } from 'node:tls'
import { apiPasswordOf, apiUser } from './token.ts'

interface Place {
  readonly host: string
  readonly port: number
}
interface Answer {
  readonly status: number
  readonly text: string
  /** Of a list: the number of its next page, 1 behind the last. */
  readonly next: number
}
/** A router that Traefik does not serve, or not wholly, with its own reasons. */
export interface Trouble {
  readonly name: string
  readonly status: 'disabled' | 'warning'
  readonly reasons: readonly string[]
}

/** Traefik's API and its ports, as far as the engine asks them. Every call ends with `signal` or within 5 s. */
export interface Api {
  /** Of the configuration that Traefik serves now, as its API has it; `undefined` where it has none of ours. */
  generation(signal?: AbortSignal, provider?: 'file' | 'http'): Promise<number | undefined>
  /** Whether the port for TLS serves this generation, or a later one. */
  serves(generation: number, signal?: AbortSignal): Promise<boolean>
  /** Whether the port for TLS shows a certificate for this host, of whatever authority. */
  certified(host: string, signal?: AbortSignal): Promise<boolean>
  /** All routers of ours that Traefik does not serve as they are written. */
  troubles(signal?: AbortSignal): Promise<readonly Trouble[]>
  /** Its metrics, in the Prometheus text format. */
  metrics(signal?: AbortSignal): Promise<string>
  close(): void
}

/** The host name that only the gateway asks for, to see what the port serves. */
export const probeHost = 'probe.gateway.invalid'
/** The router that carries the number of the configuration. */
export const probeRouter = 'gateway.probe'
export const probePath = (token: string, generation: number): string => `/.gateway/${token}/${generation}`

const limit = 5_000
const most = 64 << 20

/** `dial` opens the connections; by default straight, which does where Traefik runs in the network namespace of the gateway. */
export const traefikApi = (o: { api: Place; https: Place; token: string; dial?: (place: Place) => Socket }): Api => {
  const { dial = connect } = o
  const auth = `${apiUser}:${apiPasswordOf(o.token)}`
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  agent.createConnection = () => dial(o.api)
  const within = (signal?: AbortSignal) => AbortSignal.any([AbortSignal.timeout(limit), ...(signal ? [signal] : [])])
  const ask = (path: string, signal?: AbortSignal) =>
    new Promise<Answer>((resolve, reject) => {
      const { host, port } = o.api
      request({ host, port, path, agent, auth, signal: within(signal) }, (answer) => collect(answer).then(resolve, reject))
        .once('error', reject)
        .end()
    })
  const json = async (path: string, signal?: AbortSignal): Promise<{ readonly found: unknown; readonly next: number }> => {
    const { status, text, next } = await ask(path, signal)
    if (status === 404) return { found: undefined, next }
    if (status !== 200) throw new Error(`Traefik's API answered ${status} to ${path}`)
    return { found: JSON.parse(text), next }
  }
  return {
    async generation(signal, provider = 'file') {
      const { found } = await json(`/api/http/routers/${probeRouter}@${provider}`, signal)
      const rule = typeof found === 'object' && found !== null && 'rule' in found ? String(found.rule) : ''
      const number = new RegExp(`/\\.gateway/${o.token}/(\\d+)\``).exec(rule)?.[1]
      return number === undefined ? undefined : Number(number)
    },
    serves: (generation, signal) =>
      new Promise<boolean>((resolve, reject) => {
        const headers = { host: probeHost }
        const path = probePath(o.token, generation)
        // The certificate is Traefik's own, made at its start: it proves nothing, and nothing is entrusted to it.
        const tls = { servername: probeHost, rejectUnauthorized: false }
        const createConnection = () => connectTls({ ...tls, socket: dial(o.https) })
        requestTls({ path, headers, createConnection, signal: within(signal) }, (answer) => {
          answer.resume()
          resolve(answer.statusCode === 200)
        })
          .once('error', reject)
          .end()
      }),
    certified: (host, signal) =>
      new Promise<boolean>((resolve, reject) => {
        const tls = connectTls({ servername: host, rejectUnauthorized: false, socket: dial(o.https) })
        const end = () => tls.destroy()
        within(signal).addEventListener('abort', end, { once: true })
        tls.once('secureConnect', () => {
          resolve(checkServerIdentity(host, tls.getPeerCertificate()) === undefined)
          tls.destroy()
        })
        // Over a unix socket a failure to connect is told twice.
        tls.on('error', reject).once('close', () => reject(new Error(`the handshake for ${host} ended`)))
      }),
    async troubles(signal) {
      const all: Trouble[] = []
      for (const kind of ['http', 'tcp'])
        for (const status of ['disabled', 'warning'] as const)
          for (let page = 1, last = 0; page > last; ) {
            const { found, next } = await json(`/api/${kind}/routers?status=${status}&per_page=1000&page=${page}`, signal)
            for (const entry of Array.isArray(found) ? found : []) all.push(troubleOf(entry, status))
            last = page
            page = next
          }
      return all
    },
    async metrics(signal) {
      const { status, text } = await ask('/metrics', signal)
      if (status !== 200) throw new Error(`Traefik's metrics answered ${status}`)
      return text
    },
    close: () => agent.destroy(),
  }
}

const troubleOf = (entry: unknown, status: Trouble['status']): Trouble => {
  const found = typeof entry === 'object' && entry !== null ? entry : {}
  const name = 'name' in found ? String(found.name) : ''
  return { name, status, reasons: 'error' in found && Array.isArray(found.error) ? found.error.map(String) : [] }
}

const collect = async (answer: IncomingMessage): Promise<Answer> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer) {
    size += chunk.length
    if (size > most) throw new Error(`Traefik answers more than ${most} bytes`)
    chunks.push(chunk)
  }
  const next = Number(answer.headers['x-next-page'] ?? 1)
  return { status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8'), next }
}
