import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { createGateway, type Op, type Plugin, parseOperation } from '../../../core/index.ts'
import type { NameServer } from '../../../lib/dns/name-server.ts'
import {
  acme,
  cloudflare,
  dnsmasq,
  dnsResolver,
  embedded,
  exec,
  level,
  nameProxy,
  processes,
  responder,
  rfc2136,
  staticNode,
} from '../../../plugins/index.ts'
import { endKept, freePort, httpBackend, startPebble, tempRoot } from '../../kit/index.ts'
import { dnsmasqPath } from '../../kit/programs.ts'
import { startApi } from './api.ts'
import { cloudflareApi } from './cloudflare-api.ts'
import { keyName, startBind, startKnot } from './named.ts'
import { startRecords } from './records.ts'
import { startResolver } from './resolver.ts'

const domain = 'gw.example.org'
const host = `shop.${domain}`
const zones = ['example.org']

interface Provider {
  /** The line of the config, and what it needs. */
  readonly line: readonly Plugin[]
  readonly server: NameServer
  close?(): unknown
}
const secretFile = (root: string, text: string) => {
  writeFileSync(join(root, 'secret'), text)
  return { file: join(root, 'secret') }
}
const named =
  (start: typeof startKnot) =>
  async (root: string): Promise<Provider> => {
    const secret = randomBytes(32).toString('base64')
    const server = await start(root, { zones, algorithm: 'hmac-sha256', secret })
    const key = { name: keyName, secret: secretFile(root, secret) }
    return {
      line: [rfc2136({ server: `127.0.0.1:${server.port}`, zones, key, propagation: server.propagation })],
      server,
      close: server.close,
    }
  }
const providers: Record<string, (root: string) => Promise<Provider>> = {
  async responder() {
    const port = await freePort()
    return { line: [responder({ addresses: ['127.0.0.1'], port })], server: { host: '127.0.0.1', port } }
  },
  async dnsmasq() {
    const port = await freePort()
    const line = [dnsmasq({ addresses: ['127.0.0.1'], port, command: dnsmasqPath() }), processes()]
    return { line, server: { host: '127.0.0.1', port } }
  },
  async exec(root) {
    const [records, command] = [join(root, 'records'), join(root, 'update-dns.sh')]
    writeFileSync(command, '#!/bin/sh\nmkdir -p "$RECORDS"\n[ "$1" = present ] && : > "$RECORDS/v$3" || rm -f "$RECORDS/v$3"\n', {
      mode: 0o755,
    })
    const server = await startRecords([domain], () =>
      (existsSync(records) ? readdirSync(records) : []).map((file) => file.slice(1)),
    )
    return {
      line: [exec({ command, zones, env: { RECORDS: records }, propagation: server.propagation })],
      server,
      close: server.close,
    }
  },
  'rfc2136 with Knot': named(startKnot),
  'rfc2136 with BIND': named(startBind),
  async cloudflare(root) {
    const { answer, values } = cloudflareApi({ token: 'swap-token', zones })
    const [api, server] = await Promise.all([startApi(answer), startRecords([domain], values)])
    const token = secretFile(root, 'swap-token')
    const close = () => Promise.all([api.close(), server.close()])
    return { line: [cloudflare({ api: `${api.url}/client/v4`, token, zones, propagation: server.propagation })], server, close }
  },
}

test.each(Object.keys(providers))(
  'with the provider line %s, and nothing else changed, a name is served by a certificate of the CA',
  async (name) => {
    const root = tempRoot('swap')
    onTestFinished(root.remove)
    onTestFinished(() => endKept(root.path))
    const provider = await providers[name]!(root.path)
    onTestFinished(() => void provider.close?.())
    const [http, https, backend] = [await freePort(), await freePort(), await httpBackend()]
    onTestFinished(backend.close)
    const resolver = await startResolver(provider.server, [`_acme-challenge.${domain}`])
    onTestFinished(resolver.close)
    const pebble = await startPebble({ dns: resolver.address })
    onTestFinished(pebble.close)
    const gateway = await createGateway(
      {
        plugins: [
          staticNode({ domain, ipv4: '127.0.0.1' }),
          nameProxy(),
          dnsResolver({ apex: true }),
          acme({
            authorities: [{ directory: pebble.directory, trust: pebble.trustFile }],
            preflight: { here: false, caa: false, reach: false, delegation: false },
          }),
          level(),
          embedded({ http: { port: http }, https: { port: https } }),
          ...provider.line,
        ],
      },
      { root: root.path },
    )
    onTestFinished(gateway.close)
    const set = { do: 'set-name', id: '1-1-shop', name: 'shop', backends: [backend.url] }
    await gateway.dispatch(parseOperation(set) as Op<'set-name'>, { wait: 'live' })
    const client = connect({ port: https, host: '127.0.0.1', servername: host, ca: await pebble.root() })
    await once(client, 'secureConnect')
    expect(client.getPeerCertificate().subjectaltname?.split(', ').sort()).toEqual([`DNS:*.${domain}`, `DNS:${domain}`])
    client.destroy()
  },
)
