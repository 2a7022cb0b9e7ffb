import { createServer } from 'node:http'
import { get } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** So many, each of which answers with its own address. */
export const startBackends = async (count: number) => {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer((asked, answer) => answer.end(`http://127.0.0.1:${asked.socket.localPort}`))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  return {
    urls: servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    close: () => {
      for (const server of servers) server.closeAllConnections()
      for (const server of servers) server.close()
    },
  }
}

/** Asks for the host until `wanted` takes the answer, for an engine takes a moment; undefined then, else the last answer after a minute. */
export const servedWrong = async (port: number, host: string, wanted: (answer: string) => boolean) => {
  for (const until = performance.now() + 60_000; ; await wait(100)) {
    const answer = await ask(port, host)
    if (wanted(answer)) return undefined
    if (performance.now() > until) return answer
  }
}

/** The text that a request to the host gets. */
const ask = (port: number, host: string) =>
  new Promise<string>((resolve) => {
    const to = { port, host: '127.0.0.1', servername: host, headers: { host }, rejectUnauthorized: false, agent: false } as const
    const asked = get({ ...to, timeout: 30_000 }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      answer.on('end', () => resolve(text))
      answer.on('error', (error) => resolve(error.message))
    })
    asked.on('timeout', () => asked.destroy(new Error('no answer in 30 s')))
    asked.on('error', (error) => resolve(error.message))
  })
