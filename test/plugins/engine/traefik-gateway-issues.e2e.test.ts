import { once } from 'node:events'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createGateway, type Op, parseOperation, type RunningGateway } from '../../../core/index.ts'
import {
  acme,
  dnsHook,
  dnsResolver,
  fqdnProxy,
  httpResolver,
  memory,
  nameProxy,
  processes,
  responder,
  staticNode,
  traefik,
} from '../../../plugins/index.ts'
import {
  type AcmeWorld,
  freePort,
  type HttpBackend,
  http1,
  httpBackend,
  openTcp,
  startAcmeWorld,
  tempRoot,
} from '../../kit/index.ts'
import { traefikPath } from '../../kit/programs.ts'

const domain = 'gw.example.org'
let world: AcmeWorld
let backend: HttpBackend
let gateway: RunningGateway
/** One config for both ways. */
const open = async (issue: 'gateway' | 'traefik') => {
  const zone = await freePort()
  world.dns.set('shop.example', { A: ['127.0.0.1'] })
  world.dns.delegate(`_acme-challenge.${domain}`, `127.0.0.1:${zone}`)
  return createGateway(
    {
      plugins: [
        memory(),
        staticNode({ domain, ipv4: '127.0.0.1' }),
        fqdnProxy(),
        nameProxy(),
        httpResolver(),
        dnsResolver(),
        acme(world.acme),
        dnsHook(),
        responder({ addresses: ['127.0.0.1'], port: zone }),
        processes(),
        traefik({
          command: traefikPath(),
          http: { host: '127.0.0.1', port: world.http },
          https: { host: '127.0.0.1', port: world.https },
          api: { port: await freePort() },
          routes: 'files',
          relay: false,
          issue,
        }),
      ],
    },
    { root: tempRoot('traefik-gateway').path },
  )
}
beforeAll(async () => {
  world = await startAcmeWorld()
  backend = await httpBackend()
  gateway = await open('gateway')
})
afterAll(async () => {
  await gateway.close()
  await backend.close()
  await world.close()
})

const set = (operation: object) =>
  gateway.dispatch(parseOperation({ backends: [backend.url], ...operation }) as Op<'set-fqdn' | 'set-name'>, { wait: 'live' })

const seen = async (servername: string) => {
  const client = connect({ port: world.https, host: '127.0.0.1', servername, ca: await world.pebble.root() })
  await once(client, 'secureConnect')
  const { subjectaltname } = client.getPeerCertificate()
  client.destroy()
  return subjectaltname
}

test('the gateway gets a certificate for a domain over http-01 and Traefik serves it', async () => {
  await set({ do: 'set-fqdn', id: '1-2-shop', fqdn: 'shop.example' })
  expect(await seen('shop.example')).toBe('DNS:shop.example')
})

test('the gateway gets the wildcard over dns-01 and Traefik serves it', async () => {
  await set({ do: 'set-name', id: '1-2-one', name: 'one' })
  expect(await seen(`one.${domain}`)).toBe(`DNS:*.${domain}`)
})

test('fault 30: below the path of challenges all that is unknown is 404, by the gateway', async () => {
  for (const path of ['abc', '', '..%2f', 'a/b', '%00', '../../x']) {
    const client = http1(await openTcp({ port: world.http }))
    const answer = await client.request(`GET /.well-known/acme-challenge/${path}`, { Host: 'shop.example' })
    expect([path, answer.status]).toEqual([path, 404])
    client.close()
  }
})

test('with one word changed Traefik gets both by itself, from the CA of the same line', async () => {
  await gateway.close()
  gateway = await open('traefik')
  await set({ do: 'set-fqdn', id: '1-2-shop', fqdn: 'shop.example' })
  await set({ do: 'set-name', id: '1-2-one', name: 'one' })
  const tried = (host: string) => seen(host).catch(String)
  await expect.poll(() => tried('shop.example'), { timeout: 90_000 }).toBe('DNS:shop.example')
  await expect.poll(() => tried(`one.${domain}`), { timeout: 90_000 }).toBe(`DNS:*.${domain}`)
  expect(gateway.certificates.list()).toEqual([])
})
