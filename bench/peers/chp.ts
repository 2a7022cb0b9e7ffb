import { join } from 'node:path'
import { freePort } from '../../test/kit/port.ts'
import { untilServed } from '../parts/client.ts'
import { tree } from '../parts/places.ts'
import { start } from '../parts/process.ts'
import type { Given, Peer } from './peer.ts'

const program = join(tree, 'node_modules/configurable-http-proxy/bin/configurable-http-proxy')

/** configurable-http-proxy, routing by host, on the Node that the gateway runs on. */
export const startChp = async ({ host, backendPort, cert, key }: Given, secure: boolean): Promise<Peer & { api: number }> => {
  const [port, api] = [await freePort(), await freePort()]
  const args = ['--ip', '127.0.0.1', '--port', String(port), '--api-ip', '127.0.0.1', '--api-port', String(api)]
  if (secure) args.push('--ssl-cert', cert, '--ssl-key', key)
  const process = await start(globalThis.process.execPath, [program, ...args, '--host-routing', '--log-level', 'warn'], {
    until: async () => {
      await addToChp(api, host, backendPort)
      if (secure) await untilServed(port, host, performance.now())
    },
  })
  return { name: 'configurable-http-proxy', process, ...(secure ? { https: port } : { http: port }), api }
}

/** Adds a route over its API, which may not be up yet. */
export const addToChp = async (api: number, host: string, backendPort: number): Promise<void> => {
  const body = JSON.stringify({ target: `http://127.0.0.1:${backendPort}` })
  for (let tries = 0; tries < 500; tries++) {
    const answer = await fetch(`http://127.0.0.1:${api}/api/routes/${host}`, { method: 'POST', body }).catch(() => undefined)
    if (answer?.status === 201) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('configurable-http-proxy takes no route')
}
