import { Agent, request } from 'node:https'
import { setTimeout as wait } from 'node:timers/promises'

/** Sees when a proxy serves a host, by requests over one open connection, so that looking costs next to nothing. */
export const watchLive = (port: number, servername: string) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const status = (host: string) =>
    new Promise<number>((done) => {
      const asked = request(
        { host: '127.0.0.1', port, path: '/64', agent, servername, headers: { host }, rejectUnauthorized: false },
        (answer) => answer.resume().once('end', () => done(answer.statusCode ?? 0)),
      )
      asked.once('error', () => done(0)).end()
    })
  return {
    /** Asks every 5 ms until the host answers 200. Rejects after two minutes. */
    until: async (host: string): Promise<void> => {
      for (const end = performance.now() + 120_000; (await status(host)) !== 200; await wait(5))
        if (performance.now() > end) throw new Error(`${host} is not served`)
    },
    close: () => agent.destroy(),
  }
}
