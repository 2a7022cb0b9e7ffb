import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../test/kit/port.ts'
import { traefikPath } from '../../test/kit/programs.ts'
import { untilServed } from '../parts/client.ts'
import { start } from '../parts/process.ts'
import type { Given, Peer } from './peer.ts'

/** How plain Traefik is told its routes: a part of `providers` in its static configuration. */
export type Feed = Readonly<Record<string, unknown>>

/**
 * Plain Traefik as one would set it up by hand, fed by one file with the host given, or by `feed`; ready when `last` is served. `debug`: a
 * port for its profiler.
 */
export const startTraefik = async (given: Given, feed?: Feed, last = given.host, debug?: number): Promise<Peer> => {
  const [https, http] = [await freePort(), await freePort()]
  const file = (name: string, what: object) => {
    const path = join(given.folder, `traefik-${https}-${name}.json`)
    writeFileSync(path, JSON.stringify(what))
    return path
  }
  // Its file provider goes by the name: JSON is YAML too.
  const routes = () => {
    const path = join(given.folder, `traefik-${https}-routes.yaml`)
    writeFileSync(path, JSON.stringify(documentOf(given, [given.host])))
    return { providersThrottleDuration: '100ms', file: { filename: path } }
  }
  const config = file('static', {
    global: { checkNewVersion: false, sendAnonymousUsage: false },
    log: { level: 'ERROR' },
    entryPoints: {
      https: { address: `127.0.0.1:${https}`, asDefault: true, http: { tls: {} } },
      http: { address: `127.0.0.1:${http}` },
      ...(debug && { traefik: { address: `127.0.0.1:${debug}` } }),
    },
    ...(debug && { api: { insecure: true, debug: true } }),
    providers: feed ?? routes(),
  })
  const process = await start(traefikPath(), [`--configFile=${config}`], {
    within: 120,
    until: () => untilServed(https, last, performance.now()),
  })
  return { name: 'Traefik', process, https, http }
}

/** One document with these hosts, and the first of them in the clear too. */
export const documentOf = (given: Given, hosts: readonly string[]) => {
  const [first] = hosts
  const { routers, services } = routesOf(given, hosts)
  return {
    http: {
      routers: {
        ...routers,
        ...(first && { clear: { rule: `Host(\`${first}\`)`, service: nameOf(first), entryPoints: ['http'] } }),
      },
      services,
    },
    tls: { certificates: [{ certFile: given.cert, keyFile: given.key }] },
  }
}

/** Router and service of each host. */
export const routesOf = ({ backendPort }: Given, hosts: readonly string[]) => ({
  routers: Object.fromEntries(
    hosts.map((host) => [`${nameOf(host)}-route`, { rule: `Host(\`${host}\`)`, service: nameOf(host), tls: {} }]),
  ),
  services: Object.fromEntries(
    hosts.map((host) => [nameOf(host), { loadBalancer: { servers: [{ url: `http://127.0.0.1:${backendPort}` }] } }]),
  ),
})

const nameOf = (host: string): string => `40-${host.split('.')[0]}`
