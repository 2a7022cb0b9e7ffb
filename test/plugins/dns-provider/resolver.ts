import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { NameServer } from '../../../lib/dns/name-server.ts'

/**
 * A resolver as a CA has them: it asks the name server of the delegated zones over UDP, over TCP where the answer was cut, again where
 * none came (Unbound does so for seconds), and keeps nothing. TCP on 127.0.0.1, which is what Pebble asks by; other names do not exist.
 * In a thread of its own, since Pebble waits two seconds and asks once.
 */
export const startResolver = async ({ host, port: of }: NameServer, zones: readonly string[]) => {
  const thread = new Worker(new URL('./resolver-thread.ts', import.meta.url), {
    workerData: { server: { host, port: of }, zones },
  })
  const [port]: number[] = await once(thread, 'message')
  return { address: `127.0.0.1:${port}`, close: async () => void (await thread.terminate()) }
}
