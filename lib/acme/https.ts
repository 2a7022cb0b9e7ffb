import { type RequestOptions, request } from 'node:https'
import { type ProxyChoice, proxyAgent } from '../proxy.ts'
import { CaUnreachable } from './problem.ts'

export interface Answer {
  readonly status: number
  /** Of one field, the first where it came more than once. */
  field(name: string): string | undefined
  readonly fields: readonly string[]
  readonly body: string
}
interface Asked {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly url: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}
export interface HttpsClient {
  /** Rejects with CaUnreachable where no whole answer comes in time, and with the signal's reason where that ends it. */
  ask(asked: Asked): Promise<Answer>
  close(): void
}

/** Bytes of one answer: an order of 100 names has a tenth of it. */
const largest = 262_144

/** Asks one server over HTTPS, with connections kept. `trust`: PEM of the roots to trust in place of the system's. `seconds`: for one answer. */
export const httpsClient = ({
  trust,
  seconds = 30,
  proxy,
}: {
  trust?: string | undefined
  seconds?: number
  proxy?: ProxyChoice
}): HttpsClient => {
  const agent = proxyAgent({ keepAlive: true, maxSockets: 16, ...(trust !== undefined && { ca: trust }) }, proxy)
  return {
    async ask({ method, url, body, headers, signal }) {
      signal.throwIfAborted()
      const late = AbortSignal.timeout(seconds * 1_000)
      const options = {
        agent,
        method,
        headers: { 'user-agent': 'zos-gateway', ...headers },
        signal: AbortSignal.any([signal, late]),
      }
      try {
        return await send(url, options, body)
      } catch (error) {
        signal.throwIfAborted()
        const why = late.aborted ? `no answer within ${seconds} s` : error instanceof Error ? error.message : String(error)
        throw new CaUnreachable(`${url} cannot be asked: ${why}`, { cause: error })
      }
    },
    close: () => agent.destroy(),
  }
}

const send = (url: string, options: RequestOptions, body: string | undefined): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const req = request(url, options, (res) => {
      const chunks: Buffer[] = []
      let size = 0
      res.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > largest) req.destroy(new Error(`the answer is over ${largest} bytes`))
        else chunks.push(chunk)
      })
      res.on('error', reject)
      res.on('end', () => {
        if (!res.complete) return reject(new Error('the answer ended half-way'))
        const all = res.headersDistinct
        resolve({
          status: res.statusCode ?? 0,
          field: (name) => all[name]?.[0],
          fields: all.link ?? [],
          body: Buffer.concat(chunks).toString('utf8'),
        })
      })
    })
    req.on('error', reject)
    req.end(body)
  })
