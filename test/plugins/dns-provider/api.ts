import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** As JSON, where it is. */
  readonly body: unknown
}
export interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly json?: unknown
  readonly text?: string
}

/** The API of a DNS provider, on a loopback port; keeps what it was asked. */
export const startApi = async (answer: (asked: Asked) => Answer | Promise<Answer>) => {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const part of request) text += part
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://provider')
    const one: Asked = {
      method: request.method ?? '',
      path: pathname,
      query: searchParams,
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
    asked.push(one)
    const { status, headers = {}, json, text: plain = '' } = await answer(one)
    response.writeHead(status, { ...(json !== undefined && { 'content-type': 'application/json' }), ...headers })
    response.end(json === undefined ? plain : JSON.stringify(json))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: async () => {
      server.closeAllConnections()
      if (server.listening) await new Promise((done) => server.close(done))
    },
  }
}
