import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { domain } from '../parts/gateway.ts'
import type { Given, Peer } from './peer.ts'
import { documentOf, routesOf, startTraefik } from './traefik.ts'

/** Plain Traefik with many routes, and how one gives it one more by hand. */
export interface Fed extends Peer {
  /** Adds the route of `name`. Returns at once. */
  add(name: string): void
  close(): Promise<void>
}
const hostOf = (name: string) => `${name}.${domain}`
const namesOf = (routes: number) => Array.from({ length: routes }, (_, n) => `w${n}`)

/** One JSON document over HTTP, asked for every 100 ms, with a throttle of 100 ms: the fastest that plain Traefik does well. */
export const startFedOverHttp = async (given: Given, routes: number): Promise<Fed> => {
  const document = documentOf(given, namesOf(routes).map(hostOf))
  let body = JSON.stringify(document)
  const server = createServer((_, answer) => answer.end(body)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const feed = {
    providersThrottleDuration: '100ms',
    http: { endpoint: `http://127.0.0.1:${port}`, pollInterval: '100ms', pollTimeout: '30s' },
  }
  const peer = await startTraefik(given, feed, hostOf(`w${routes - 1}`))
  return {
    ...peer,
    add: (name) => {
      const { routers, services } = routesOf(given, [hostOf(name)])
      Object.assign(document.http.routers, routers)
      Object.assign(document.http.services, services)
      body = JSON.stringify(document)
    },
    close: async () => {
      await peer.process.stop()
      server.closeAllConnections()
      server.close()
    },
  }
}

/** The same with files, which are written in place and unlinked as the Go module does. */
export interface FedByFiles extends Fed {
  /** Has `name` served by the backend with this URL. */
  put(name: string, backend: string): Promise<void>
  remove(name: string): Promise<void>
}
let folders = 0

/** A file per route in a watched folder, with the throttle that Traefik has by default. */
export const startFedByFiles = async (given: Given, routes: number): Promise<FedByFiles> => {
  const folder = join(given.folder, `routes-${routes}-${++folders}`)
  mkdirSync(folder)
  const pathOf = (name: string) => join(folder, `${name}.yaml`)
  const textOf = (name: string, of = given) => JSON.stringify({ http: routesOf(of, [hostOf(name)]) })
  const add = (name: string) => writeFileSync(pathOf(name), textOf(name))
  writeFileSync(pathOf('certificate'), JSON.stringify({ tls: { certificates: [{ certFile: given.cert, keyFile: given.key }] } }))
  for (const name of namesOf(routes)) add(name)
  const feed = { file: { directory: folder, watch: true } }
  const peer = await startTraefik(given, feed, hostOf(`w${routes - 1}`))
  return {
    ...peer,
    add,
    put: (name, backend) => writeFile(pathOf(name), textOf(name, { ...given, backendPort: Number(new URL(backend).port) })),
    remove: async (name) => rmSync(pathOf(name), { force: true }),
    close: () => peer.process.stop(),
  }
}
