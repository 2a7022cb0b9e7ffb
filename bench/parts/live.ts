import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { setTimeout as wait } from 'node:timers/promises'

/** Sees when a proxy serves a host, by requests over one open connection, so that looking costs next to nothing. */
export const watchLive = (port: number, servername: string) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = (host: string) =>
    new Promise<IncomingHttpHeaders | undefined>((done) => {
      const asked = request(
        { host: '127.0.0.1', port, path: '/64', agent, servername, headers: { host }, rejectUnauthorized: false },
        (answer) => answer.resume().once('end', () => done(answer.statusCode === 200 ? answer.headers : undefined)),
      )
      asked.once('error', () => done(undefined)).end()
    })
  return {
    /** Asks every 5 ms until the host answers 200 with headers that are `wanted`. Rejects after two minutes. */
    until: async (host: string, wanted: (headers: IncomingHttpHeaders) => boolean = () => true): Promise<void> => {
      for (const end = performance.now() + 120_000; ; await wait(5)) {
        const headers = await ask(host)
        if (headers && wanted(headers)) return
        if (performance.now() > end) throw new Error(`${host} is not served`)
      }
    },
    close: () => agent.destroy(),
  }
}
