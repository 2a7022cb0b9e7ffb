import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
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

/** A file per route in a watched folder, with the throttle that Traefik has by default. */
export const startFedByFiles = async (given: Given, routes: number): Promise<Fed> => {
  const folder = join(given.folder, `routes-${routes}`)
  mkdirSync(folder)
  const put = (name: string, what: object) => writeFileSync(join(folder, `${name}.yaml`), JSON.stringify(what))
  const add = (name: string) => put(name, { http: routesOf(given, [hostOf(name)]) })
  put('certificate', { tls: { certificates: [{ certFile: given.cert, keyFile: given.key }] } })
  for (const name of namesOf(routes)) add(name)
  const feed = { file: { directory: folder, watch: true } }
  const peer = await startTraefik(given, feed, hostOf(`w${routes - 1}`))
  return { ...peer, add, close: () => peer.process.stop() }
}
