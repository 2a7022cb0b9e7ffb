import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, createServer, request } from 'node:https'
import { createAuthority } from '../authority.ts'
import { freePort } from '../port.ts'

/** What goes wrong: the CA answers with this status, never, with half of its answer, or the connection is cut. */
export type Fault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | 'hang'
  | 'half'
  | 'cut'
  | undefined
/** Stands before a CA and makes faults. */
export interface FaultProxy {
  /** The directory of the CA, through here. */
  readonly directory: string
  /** PEM of the root by which that URL is verified. */
  readonly trust: string
  /** Decides on each request; by default there is no fault. */
  fault: (asked: { readonly method: string; readonly path: string }) => Fault
  /** How it meets those who connect from now on: `refuses` has nobody listen, `impostor` shows a certificate of nobody's. By default `well`. */
  meet(how: 'well' | 'refuses' | 'impostor'): Promise<void>
  /** What was asked for: `POST /order-plz`. */
  readonly asked: readonly string[]
  /** How many orders were begun: one that was asked again only for its nonce (RFC 8555 section 6.5) is one. */
  orders(): number
  close(): Promise<void>
}

export const startFaults = async (ca: { readonly port: number; readonly trust: string }): Promise<FaultProxy> => {
  const authority = await createAuthority('fault proxy')
  const own = await authority.issue(['localhost', '127.0.0.1'])
  const foreign = await (await createAuthority('impostor')).issue(['localhost', '127.0.0.1'])
  const port = await freePort()
  const agent = new Agent({ keepAlive: true, ca: ca.trust })
  const asked: string[] = []
  let orders = 0
  const forward = (req: IncomingMessage) =>
    new Promise<{ answer: IncomingMessage; body: Buffer }>((resolve, reject) => {
      const { method, url: path, headers } = req
      const out = request(
        { host: '127.0.0.1', servername: 'localhost', port: ca.port, method, path, headers, agent },
        async (answer) => {
          try {
            const chunks: Buffer[] = []
            for await (const chunk of answer) chunks.push(chunk)
            resolve({ answer, body: Buffer.concat(chunks) })
          } catch (error) {
            reject(error)
          }
        },
      )
      out.on('error', reject)
      req.pipe(out)
    })
  const server = createServer({ cert: own.chain, key: own.key }, async (req, res) => {
    const [method, path] = [req.method ?? '', req.url ?? '']
    asked.push(`${method} ${path}`)
    const ordering = method === 'POST' && path === '/order-plz'
    if (ordering) orders++
    const fault = proxy.fault({ method, path })
    if (fault === 'hang') return
    if (fault === 'cut') return void req.socket.destroy()
    if (typeof fault === 'object') return void res.writeHead(fault.status, fault.headers).end(fault.body)
    try {
      const { answer, body } = await forward(req)
      if (ordering && body.includes('acme:error:badNonce')) orders--
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      if (fault === 'half') res.write(body.subarray(0, body.length / 2), () => req.socket.destroy())
      else res.end(body)
    } catch {
      req.socket.destroy()
    }
  })
  const listen = async () => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const deafen = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  await listen()
  const proxy: FaultProxy = {
    directory: `https://localhost:${port}/dir`,
    trust: authority.root,
    fault: () => undefined,
    meet: async (how) => {
      await deafen()
      if (how === 'refuses') return
      const { chain, key } = how === 'well' ? own : foreign
      server.setSecureContext({ cert: chain, key })
      await listen()
    },
    asked,
    orders: () => orders,
    close: async () => {
      agent.destroy()
      await deafen()
    },
  }
  return proxy
}
