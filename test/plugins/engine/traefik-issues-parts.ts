import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createGateway, type Plugin } from '../../../core/index.ts'
import { createClient } from '../../../lib/zbus/index.ts'
import {
  dnsHook,
  dnsResolver,
  fqdnProxy,
  httpResolver,
  memory,
  nameProxy,
  processes,
  staticNode,
  traefik,
  zbus,
} from '../../../plugins/index.ts'
import {
  type FakeDns,
  type FaultProxy,
  freePort,
  openTls,
  type Pebble,
  startDns,
  startFaults,
  startPebble,
  startRedis,
  tempRoot,
} from '../../kit/index.ts'
import { endKept, keptChildren } from '../../kit/kept.ts'
import { traefikPath } from '../../kit/programs.ts'

export const domain = 'gw.example.org'

export interface World {
  readonly http: number
  readonly https: number
  readonly ca: Pebble
  /** Stands before it. */
  readonly faults: FaultProxy
  readonly dns: FakeDns
  /** Where Traefik keeps its ACME state. */
  readonly state: string
  readonly set: (method: string, ...args: unknown[]) => Promise<unknown>
  readonly log: readonly string[]
  /** The Traefik that runs, or undefined. */
  pid(): number | undefined
  /** What Traefik wrote. */
  said(): string
}

/** A gateway on a real Traefik that gets certificates from a real Pebble by itself, asked over a real Redis. */
export const world = async (provider: (port: number, dns: FakeDns) => readonly Plugin[]): Promise<World> => {
  const [root, redis, dns, http, https, api, zone] = [
    tempRoot('issues'),
    await startRedis(),
    await startDns(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const ca = await startPebble({ dns: dns.address, http })
  const faults = await startFaults(ca)
  const trust = join(root.path, 'trust.pem')
  writeFileSync(trust, faults.trust)
  fill(dns, zone)
  const log: string[] = []
  const gateway = await createGateway(
    {
      plugins: [
        memory(),
        staticNode({ ipv4: '127.0.0.1', domain }),
        fqdnProxy(),
        nameProxy(),
        dnsResolver(),
        httpResolver(),
        processes(),
        ...provider(zone, dns),
        dnsHook(),
        traefik({
          command: traefikPath(),
          http: { host: '127.0.0.1', port: http },
          https: { host: '127.0.0.1', port: https },
          api: { port: api },
          relay: { port: await freePort() },
          routes: 'files',
          env: { LEGO_CA_CERTIFICATES: trust },
          acme: { caServer: faults.directory, dns: { provider: 'exec', resolvers: [dns.address] } },
        }),
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
    await faults.close()
    await Promise.all([ca.close(), dns.close(), redis.close()])
    await root.remove()
  })
  const set = (method: string, ...args: unknown[]) => client.call('gateway', { name: 'gateway', version: '0.0.1' }, method, args)
  const said = () => readFileSync(join(root.path, 'run', 'traefik.log'), 'utf8')
  const pid = () => keptChildren(root.path).get('traefik')
  return { http, https, ca, faults, dns, state: join(root.path, 'traefik'), set, log, pid, said }
}

/** What the zones of the world hold: names under the domain by a wildcard, the challenge delegated. */
const fill = (dns: FakeDns, port: number): void => {
  dns.set(domain, { A: ['127.0.0.1'] })
  dns.set('shop.example.net', { A: ['127.0.0.1'] })
  dns.delegate(`_acme-challenge.${domain}`, `127.0.0.1:${port}`)
}

export const backend = async (): Promise<string> => {
  const server = createServer((_, answer) => void answer.end('from the backend')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The first handshake for the host that a client of Pebble's root accepts, within a minute and a half. */
export const verified = async ({ https, ca, log }: World, host: string) => {
  const trust = await ca.root()
  for (const until = Date.now() + 90_000; ; ) {
    const socket = await openTls({ port: https }, { name: host, ca: trust }).catch((error: Error) => error)
    if (!(socket instanceof Error)) return socket
    if (Date.now() > until) throw new Error(`${host}: ${socket.message}\n${log.slice(-20).join('\n')}\n${ca.said()}`)
    await new Promise((done) => setTimeout(done, 100))
  }
}
