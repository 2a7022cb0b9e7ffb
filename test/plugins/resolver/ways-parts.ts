import { onTestFinished } from 'vitest'
import { createGateway, type Plugin } from '../../../core/index.ts'
import { createClient } from '../../../lib/zbus/index.ts'
import {
  acme,
  dnsHook,
  dnsmasq,
  dnsResolver,
  embedded,
  fqdnProxy,
  type HttpResolverOptions,
  httpResolver,
  memory,
  nameProxy,
  processes,
  responder,
  staticNode,
  type TraefikOptions,
  traefik,
  zbus,
} from '../../../plugins/index.ts'
import { endKept, freePort, httpBackend, openTls, startPebble, startRedis, tempRoot } from '../../kit/index.ts'
import { dnsmasqPath, traefikPath } from '../../kit/programs.ts'
import { startDelegating } from './delegating.ts'

export const domain = 'gw.example.org'
export const own = 'shop.example.net'

interface Ports {
  readonly http: number
  readonly https: number
}
/** Who writes the challenges, on this port: one line of the config. */
export const providers = {
  responder: (port: number): Plugin => responder({ addresses: ['127.0.0.1'], port }),
  dnsmasq: (port: number): Plugin => dnsmasq({ addresses: ['127.0.0.1'], port, command: dnsmasqPath() }),
}
/** Who gets the certificates, and who serves them: one line of the config. */
export const ways = {
  'the gateway issues for itself': async ({ http, https }: Ports): Promise<Plugin> =>
    embedded({ http: { port: http }, https: { port: https } }),
  'the gateway issues into Traefik': (ports: Ports) => withTraefik({ issue: 'gateway' })(ports),
  'Traefik issues': (ports: Ports) => withTraefik({ issue: 'traefik' })(ports),
}
export const withTraefik =
  (more: TraefikOptions) =>
  async ({ http, https }: Ports): Promise<Plugin> =>
    traefik({
      command: traefikPath(),
      http: { host: '127.0.0.1', port: http },
      https: { host: '127.0.0.1', port: https },
      api: { port: await freePort() },
      relay: false,
      routes: 'files',
      ...more,
    })

/** A gateway asked over a real Redis, with a real Pebble, which refuses nonces, and whose resolver is a real dnsmasq; the challenge zone is delegated to `zone`. */
export const served = async (
  engine: (ports: Ports, resolver: string) => Promise<Plugin>,
  provider: (port: number) => Plugin,
  o: { delegated?: Readonly<Record<string, number>>; http?: HttpResolverOptions; more?: readonly Plugin[] } = {},
) => {
  const [root, redis, backend] = [tempRoot('ways'), await startRedis(), await httpBackend()]
  const [http, https, zone] = [await freePort(), await freePort(), await freePort()]
  const resolver = await startDelegating({
    hosts: [domain, own],
    delegated: { [`_acme-challenge.${domain}`]: zone, ...o.delegated },
  })
  const ca = await startPebble({ dns: resolver.address, http })
  const log: string[] = []
  const gateway = await createGateway(
    {
      plugins: [
        memory(),
        staticNode({ ipv4: '127.0.0.1', domain }),
        fqdnProxy(),
        nameProxy(),
        httpResolver(o.http),
        dnsResolver(),
        acme({
          authorities: [{ directory: ca.directory, trust: ca.trustFile }],
          nameServers: [resolver.address],
          httpPort: http,
        }),
        provider(zone),
        dnsHook(),
        processes(),
        await engine({ http, https }, resolver.address),
        ...(o.more ?? []),
        zbus({ broker: redis.broker.unix }),
      ],
    },
    { root: root.path, log: (level, message, fields) => void log.push(`${level} ${message} ${JSON.stringify(fields)}`) },
  )
  const client = createClient({ broker: redis.broker.unix })
  onTestFinished(async () => {
    client.close()
    await gateway.close()
    await endKept(root.path)
    await Promise.all([ca.close(), resolver.close(), redis.close(), backend.close()])
    await root.remove()
  }, 60_000)
  const trust = await ca.root()
  return {
    root: root.path,
    https,
    ca,
    gateway,
    backend,
    set: (method: string, ...args: unknown[]) => client.call('gateway', { name: 'gateway', version: '0.0.1' }, method, args),
    /** The first handshake for the host that a client of Pebble's root accepts. */
    async verified(host: string) {
      for (const until = Date.now() + 120_000; ; ) {
        const socket = await openTls({ port: https }, { name: host, ca: trust }).catch((error: Error) => error)
        if (!(socket instanceof Error)) return socket
        if (Date.now() > until) throw new Error(`${host}: ${socket.message}\n${log.slice(-20).join('\n')}\n${ca.said()}`)
        await new Promise((done) => setTimeout(done, 100))
      }
    },
  }
}
export type Served = Awaited<ReturnType<typeof served>>
