import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createGateway, type Plugin } from '../../../core/index.ts'
import { createClient } from '../../../lib/zbus/index.ts'
import {
  dnsHook,
  dnsmasq,
  dnsResolver,
  fqdnProxy,
  httpResolver,
  memory,
  nameProxy,
  processes,
  responder,
  staticNode,
  traefik,
  zbus,
} from '../../../plugins/index.ts'
import {
  type FakeDns,
  freePort,
  http1,
  openTls,
  type Pebble,
  startDns,
  startPebble,
  startRedis,
  tempRoot,
} from '../../kit/index.ts'
import { dnsmasqPath, traefikPath } from '../../kit/programs.ts'

const domain = 'gw.example.org'

interface World {
  readonly http: number
  readonly https: number
  readonly ca: Pebble
  readonly set: (method: string, ...args: unknown[]) => Promise<unknown>
  readonly log: readonly string[]
}

/** A gateway on a real Traefik that gets certificates from a real Pebble by itself, asked over a real Redis. */
const world = async (provider: (port: number) => readonly Plugin[]): Promise<World> => {
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
        ...provider(zone),
        dnsHook(),
        traefik({
          command: traefikPath(),
          http: { host: '127.0.0.1', port: http },
          https: { host: '127.0.0.1', port: https },
          api: { port: api },
          relay: { port: await freePort() },
          routes: 'files',
          env: { LEGO_CA_CERTIFICATES: ca.trustFile },
          acme: { caServer: ca.directory, dns: { provider: 'exec', resolvers: [dns.address] } },
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
    await Promise.all([ca.close(), dns.close(), redis.close()])
    await root.remove()
  })
  const set = (method: string, ...args: unknown[]) => client.call('gateway', { name: 'gateway', version: '0.0.1' }, method, args)
  return { http, https, ca, set, log }
}

/** What the zones of the world hold: names under the domain by a wildcard, the challenge delegated. */
const fill = (dns: FakeDns, port: number): void => {
  dns.set(domain, { A: ['127.0.0.1'] })
  dns.set('shop.example.net', { A: ['127.0.0.1'] })
  dns.delegate(`_acme-challenge.${domain}`, `127.0.0.1:${port}`)
}

const backend = async (): Promise<string> => {
  const server = createServer((_, answer) => void answer.end('from the backend')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The first handshake for the host that a client of Pebble's root accepts, within a minute and a half. */
const verified = async ({ https, ca, log }: World, host: string) => {
  const trust = await ca.root()
  for (const until = Date.now() + 90_000; ; ) {
    const socket = await openTls({ port: https }, { name: host, ca: trust }).catch((error: Error) => error)
    if (!(socket instanceof Error)) return socket
    if (Date.now() > until) throw new Error(`${host}: ${socket.message}\n${log.slice(-20).join('\n')}\n${ca.said()}`)
    await new Promise((done) => setTimeout(done, 100))
  }
}

test.each([
  ['responder', (port: number) => [responder({ addresses: ['127.0.0.1'], port })]],
  ['dnsmasq', (port: number) => [dnsmasq({ addresses: ['127.0.0.1'], port, command: dnsmasqPath() })]],
] as const)('Traefik issues by both resolvers, its DNS challenges written by %s', async (_, provider) => {
  const at = await world(provider)
  const to = await backend()
  expect(await at.set('SetNamedProxy', '1-1-shop', 'shop', [to], false)).toBe(`shop.${domain}`)
  await at.set('SetFQDNProxy', '1-2-own', 'shop.example.net', [to], false)

  const named = await verified(at, `shop.${domain}`)
  const { subjectaltname, serialNumber } = named.getPeerCertificate()
  expect(subjectaltname).toBe(`DNS:*.${domain}`)
  const whole = await verified(at, 'shop.example.net')
  expect(whole.getPeerCertificate().subjectaltname).toBe('DNS:shop.example.net')
  for (const [socket, host] of [
    [named, `shop.${domain}`],
    [whole, 'shop.example.net'],
  ] as const) {
    expect((await http1(socket).request('GET /', { Host: host })).text).toBe('from the backend')
    socket.destroy()
  }

  // The wildcard that is there serves a second name.
  expect(await at.set('SetNamedProxy', '2-3-blog', 'blog', [to], false)).toBe(`blog.${domain}`)
  const second = await verified(at, `blog.${domain}`)
  expect(second.getPeerCertificate().serialNumber).toBe(serialNumber)
  second.destroy()
})
