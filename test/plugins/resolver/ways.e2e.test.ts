import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { localCa } from '../../../plugins/index.ts'
import { http1, openTls, tempRoot } from '../../kit/index.ts'
import { keyName, startKnot } from '../dns-provider/named.ts'
import { domain, own, providers, type Served, served, ways, withTraefik } from './ways-parts.ts'

/** Names of the certificate that a client of the CA is shown, and whose it is. */
const shown = async ({ verified }: Served, host: string) => {
  const socket = await verified(host)
  const { subjectaltname, serialNumber } = socket.getPeerCertificate()
  socket.destroy()
  return { names: subjectaltname, serial: serialNumber }
}
const setBoth = async ({ set, backend }: Served) => {
  expect(await set('SetNamedProxy', '1-1-shop', 'shop', [backend.url], false)).toBe(`shop.${domain}`)
  await set('SetFQDNProxy', '1-2-own', own, [backend.url], false)
}

describe.each(Object.entries(ways))('%s', (way, engine) => {
  test.each(Object.entries(providers))(
    'a Set over zbus leads to a verified handshake, for a name and for a domain, with challenges written by %s',
    async (_, provider) => {
      const at = await served(engine, provider)
      await setBoth(at)
      const named = await shown(at, `shop.${domain}`)
      expect(named.names).toBe(`DNS:*.${domain}`)
      const whole = await shown(at, own)
      expect(whole.names).toBe(`DNS:${own}`)
      const client = http1(await at.verified(own))
      expect((await client.request('GET /', { Host: own })).status).toBe(200)

      // The wildcard that is there serves a second name.
      await at.set('SetNamedProxy', '2-3-blog', 'blog', [at.backend.url], false)
      expect(await shown(at, `blog.${domain}`)).toEqual(named)

      const held = at.gateway.certificates.list()
      expect(held).toHaveLength(way === 'Traefik issues' ? 0 : 2)
      for (const { id, names } of held) {
        const host = names[0] === own ? own : `shop.${domain}`
        const before = await shown(at, host)
        await at.gateway.certificates.renew(id)
        await expect.poll(() => shown(at, host), { timeout: 60_000 }).not.toEqual(before)
      }
      // Opened before the renewals.
      expect((await client.request('GET /', { Host: own })).status).toBe(200)
      client.close()
    },
  )
})

test('until the CA answers Traefik shows the local CA’s certificate where that is wished, and else refuses', async () => {
  const at = await served(ways['the gateway issues into Traefik'], providers.responder, {
    http: { meanwhile: 'local' },
    more: [localCa()],
  })
  await at.ca.stop()
  await setBoth(at)
  const seen = (name: string, ca: string) =>
    openTls({ port: at.https }, { name, ca }).then(
      (socket) => {
        const { subjectaltname } = socket.getPeerCertificate()
        socket.destroy()
        return subjectaltname
      },
      () => 'refused',
    )
  const local = () => readFileSync(join(at.root, 'ca/root.pem'), 'utf8')
  await expect.poll(() => seen(own, local()), { timeout: 60_000 }).toBe(`DNS:${own}`)
  expect(await seen(`shop.${domain}`, local())).toBe('refused')
  await at.ca.start()
  const fresh = await at.ca.root()
  for (const { id } of at.gateway.certificates.list()) await at.gateway.certificates.renew(id)
  await expect.poll(() => seen(own, fresh), { timeout: 60_000 }).toBe(`DNS:${own}`)
  await expect.poll(() => seen(`shop.${domain}`, fresh), { timeout: 60_000 }).toBe(`DNS:*.${domain}`)
})

test('Traefik issues by a DNS provider of its own, with its environment passed through: RFC 2136 to a Knot', async () => {
  const root = tempRoot('knot')
  onTestFinished(root.remove)
  const secret = randomBytes(32).toString('base64')
  const knot = await startKnot(root.path, { zones: ['example.org'], algorithm: 'hmac-sha256', secret })
  onTestFinished(knot.close)
  const env = {
    RFC2136_NAMESERVER: `127.0.0.1:${knot.port}`,
    RFC2136_TSIG_ALGORITHM: 'hmac-sha256.',
    RFC2136_TSIG_KEY: keyName,
    RFC2136_TSIG_SECRET: secret,
  }
  const at = await served(
    (ports, resolver) =>
      withTraefik({ acme: { dns: { provider: 'rfc2136', env, resolvers: [resolver], disableChecks: true } } })(ports),
    providers.responder,
    { delegated: { 'example.org': knot.port, [`_acme-challenge.${domain}`]: knot.port } },
  )
  await at.set('SetNamedProxy', '1-1-shop', 'shop', [at.backend.url], false)
  expect((await shown(at, `shop.${domain}`)).names).toBe(`DNS:*.${domain}`)
})
