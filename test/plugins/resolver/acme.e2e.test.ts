import { once } from 'node:events'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createGateway, DnsWriter, definePlugin, type Op, parseOperation, type RunningGateway } from '../../../core/index.ts'
import { acme, dnsResolver, embedded, fqdnProxy, httpResolver, memory, nameProxy, staticNode } from '../../../plugins/index.ts'
import {
  type FakeDns,
  freePort,
  type HttpBackend,
  httpBackend,
  type Pebble,
  startDns,
  startPebble,
  tempRoot,
} from '../../kit/index.ts'

let dns: FakeDns
let pebble: Pebble
let backend: HttpBackend
let gateway: RunningGateway
let https: number
const domain = 'gw.example.org'

const dnsWriter = () =>
  definePlugin({
    name: 'dns-provider/kit',
    kind: 'dns-provider',
    provides: { dns: DnsWriter },
    setup: () => ({
      api: {
        dns: {
          present: async (name: string, value: string) => dns.addTxt(name, value),
          cleanup: async (name: string, value: string) => dns.removeTxt(name, value),
        },
      },
    }),
  })

beforeAll(async () => {
  dns = await startDns()
  dns.set('shop.example', { A: ['127.0.0.1'] })
  https = await freePort()
  const http = await freePort()
  pebble = await startPebble({ dns: dns.address, http, tls: https })
  backend = await httpBackend()
  gateway = await createGateway(
    {
      plugins: [
        staticNode({ domain, ipv4: '127.0.0.1' }),
        fqdnProxy(),
        nameProxy(),
        httpResolver(),
        dnsResolver(),
        acme({
          authorities: [{ directory: pebble.directory, trust: pebble.trustFile }],
          nameServers: [dns.address],
          httpPort: http,
        }),
        dnsWriter(),
        memory(),
        embedded({ http: { port: http }, https: { port: https } }),
      ],
    },
    { root: tempRoot().path },
  )
})
afterAll(async () => {
  await gateway.close()
  await backend.close()
  await pebble.close()
  await dns.close()
})

const set = (operation: object) =>
  gateway.dispatch(parseOperation({ backends: [backend.url], ...operation }) as Op<'set-fqdn' | 'set-name'>, { wait: 'live' })

/** Whom a client that trusts the CA sees. */
const served = async (servername: string) => {
  const client = connect({ port: https, host: '127.0.0.1', servername, ca: await pebble.root() })
  try {
    await once(client, 'secureConnect')
    return client.getPeerCertificate().subjectaltname
  } finally {
    client.destroy()
  }
}

test('a domain of its own is served by a certificate of its own', async () => {
  await set({ do: 'set-fqdn', id: '1-2-shop', fqdn: 'shop.example' })
  expect(await served('shop.example')).toBe('DNS:shop.example')
})

test('names under the domain are served by one wildcard', async () => {
  await Promise.all(['one', 'two'].map((name) => set({ do: 'set-name', id: `1-2-${name}`, name })))
  expect(await served(`one.${domain}`)).toBe(`DNS:*.${domain}`)
  expect(await served(`two.${domain}`)).toBe(`DNS:*.${domain}`)
  expect(gateway.certificates.list().map(({ names, state }) => [names.join(), state])).toEqual([
    ['shop.example', 'ready'],
    [`*.${domain}`, 'ready'],
  ])
})
