import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../test/kit/port.ts'
import { untilServed } from '../parts/client.ts'
import { goProgram } from '../parts/go.ts'
import { start } from '../parts/process.ts'
import { type Adding, add, type Given, type Peer } from './peer.ts'

/** Caddy, from its source, with `hosts` (by default the one given) as routes to the one backend. */
export const startCaddy = async (given: Given, hosts: readonly string[] = [given.host]): Promise<Peer & { api: number }> => {
  const program = await goProgram('caddy', 'github.com/caddyserver/caddy/v2/cmd/caddy', given.say)
  const [https, http, api] = [await freePort(), await freePort(), await freePort()]
  const file = join(given.folder, `caddy-${https}.json`)
  writeFileSync(file, JSON.stringify(config(given, hosts, { https, http, api })))
  const last = hosts.at(-1) ?? given.host
  const process = await start(program, ['run', '--config', file], {
    env: { XDG_CONFIG_HOME: given.folder, XDG_DATA_HOME: given.folder },
    within: 120,
    until: () => untilServed(https, last, performance.now()),
  })
  return { name: 'Caddy', process, https, http, api }
}

/** How one more route is added over its API. */
export const addingToCaddy = (api: number, host: string, backendPort: number): Adding => ({
  method: 'POST',
  url: `http://127.0.0.1:${api}/config/apps/http/servers/https/routes`,
  headers: { 'content-type': 'application/json', origin: `http://127.0.0.1:${api}` },
  body: JSON.stringify(route(host, backendPort)),
})
export const addToCaddy = (api: number, host: string, backendPort: number): Promise<void> =>
  add(addingToCaddy(api, host, backendPort))

const route = (host: string, port: number) => ({
  match: [{ host: [host] }],
  handle: [{ handler: 'reverse_proxy', upstreams: [{ dial: `127.0.0.1:${port}` }] }],
})
const config = (given: Given, hosts: readonly string[], ports: { https: number; http: number; api: number }) => ({
  admin: { listen: `127.0.0.1:${ports.api}`, config: { persist: false } },
  apps: {
    http: {
      servers: {
        https: {
          listen: [`127.0.0.1:${ports.https}`],
          automatic_https: { disable: true },
          tls_connection_policies: [{}],
          protocols: ['h1', 'h2'],
          routes: hosts.map((host) => route(host, given.backendPort)),
        },
        http: {
          listen: [`127.0.0.1:${ports.http}`],
          automatic_https: { disable: true },
          protocols: ['h1'],
          routes: [route(given.host, given.backendPort)],
        },
      },
    },
    tls: { certificates: { load_files: [{ certificate: given.cert, key: given.key }] } },
  },
})
