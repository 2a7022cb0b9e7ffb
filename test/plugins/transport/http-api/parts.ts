import { type IncomingHttpHeaders, request } from 'node:http'
import { createGateway, type Plugin, type RunningGateway } from '../../../../core/index.ts'
import { type HttpApiOptions, httpApi } from '../../../../plugins/transport/http-api/index.ts'
import { basics, tableEngine } from '../../../core/parts.ts'
import { tempRoot } from '../../../kit/index.ts'

/** A running gateway with the API on a free port and a unix socket, and the same as a fetch handler. */
export const startApi = async (options: HttpApiOptions = {}, ...more: Plugin[]) => {
  const root = tempRoot()
  const log: string[] = []
  const engine = tableEngine()
  const plugins = [...basics(engine.plugin), ...more, httpApi({ tcp: { port: 0 }, ...options })]
  const gateway = await createGateway({ plugins }, { root: root.path, log: (...line) => log.push(JSON.stringify(line)) })
  const facts = gateway.status().plugins.find(({ name }) => name === 'transport/http-api')?.facts ?? {}
  const close = async () => {
    await gateway.close()
    await root.remove()
  }
  return { gateway, engine: engine.state, url: String(facts.url), socket: String(facts.socket), root: root.path, log, close }
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly json: any
}
export interface Ask {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
}

/** A request through the gateway's own fetch handler. An object as body is sent as JSON. */
export const ask = async (
  gateway: RunningGateway,
  path: string,
  { method = 'GET', headers = {}, body }: Ask = {},
): Promise<Answer> => {
  const sent = bodyOf(body)
  const response = await gateway.fetch(
    new Request(`http://localhost${path}`, {
      method,
      headers: { ...sent.headers, ...headers },
      ...(sent.text !== undefined && { body: sent.text }),
    }),
  )
  return answer(response.status, Object.fromEntries(response.headers), await response.text())
}

/** A request over a real socket, TCP or unix, where every header can be chosen, Host too. */
export const send = (
  to: { url: string } | { socket: string },
  path: string,
  { method = 'GET', headers = {}, body }: Ask = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = bodyOf(body)
    const { hostname, port } = 'url' in to ? new URL(to.url) : { hostname: 'localhost', port: '' }
    const address = !('url' in to) ? { socketPath: to.socket } : { host: hostname.replace(/^\[|\]$/g, ''), port }
    const outgoing = request(
      { ...address, method, path, headers: { ...sent.headers, ...headers }, agent: false },
      async (incoming) => {
        const chunks = await incoming.toArray()
        resolve(answer(incoming.statusCode ?? 0, incoming.headers, Buffer.concat(chunks).toString()))
      },
    )
    outgoing.on('error', reject)
    outgoing.end(sent.text)
  })

const bodyOf = (body: unknown): { headers: Record<string, string>; text?: string } => {
  if (body === undefined) return { headers: {} }
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }, text }
}

const answer = (status: number, headers: IncomingHttpHeaders, text: string): Answer => ({
  status,
  headers,
  text,
  json: text && /json/.test(headers['content-type'] ?? '') ? JSON.parse(text) : undefined,
})

export const wanted = (fqdn: string, ...backends: string[]) => ({
  fqdn,
  backends: backends.length ? backends : ['http://10.0.0.1:80'],
})
