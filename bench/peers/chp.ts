import { join } from 'node:path'
import { freePort } from '../../test/kit/port.ts'
import { untilServed } from '../parts/client.ts'
import { tree } from '../parts/places.ts'
import { start } from '../parts/process.ts'
import { type Adding, add, type Given, type Peer } from './peer.ts'

const program = join(tree, 'node_modules/configurable-http-proxy/bin/configurable-http-proxy')

/** configurable-http-proxy, routing by host, on the Node that the gateway runs on. */
export const startChp = async ({ host, backendPort, cert, key }: Given, secure: boolean): Promise<Peer & { api: number }> => {
  const [port, api] = [await freePort(), await freePort()]
  const args = ['--ip', '127.0.0.1', '--port', String(port), '--api-ip', '127.0.0.1', '--api-port', String(api)]
  if (secure) args.push('--ssl-cert', cert, '--ssl-key', key)
  const process = await start(globalThis.process.execPath, [program, ...args, '--host-routing', '--log-level', 'warn'], {
    until: async () => {
      await addFirst(addingToChp(api, host, backendPort))
      if (secure) await untilServed(port, host, performance.now())
    },
  })
  return { name: 'configurable-http-proxy', process, ...(secure ? { https: port } : { http: port }), api }
}

/** How a route is added over its API. */
export const addingToChp = (api: number, host: string, backendPort: number): Adding => ({
  method: 'POST',
  url: `http://127.0.0.1:${api}/api/routes/${host}`,
  body: JSON.stringify({ target: `http://127.0.0.1:${backendPort}` }),
})

/** Adds the first one; the API may not be up yet. */
const addFirst = async (adding: Adding): Promise<void> => {
  for (let tries = 0; tries < 500; tries++) {
    if (
      await add(adding).then(
        () => true,
        () => false,
      )
    )
      return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('configurable-http-proxy takes no route')
}
