import { X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { dns01Value } from '../../../lib/acme/challenge.ts'
import { acmeClient } from '../../../lib/acme/client.ts'
import { orderCertificate } from '../../../lib/acme/order.ts'
import { challengeOf } from '../../../lib/dns/challenge.ts'
import { startAcmeWorld } from '../../kit/index.ts'

test('fault 18: ten orders of apex and wildcard for one domain at once are all valid, and each takes away its own values', async () => {
  const world = await startAcmeWorld()
  const { directory, trust } = world.pebble
  const client = acmeClient({ directory, trust, keep: async () => undefined })
  const present = (domain: string, keyAuthorization: string) =>
    world.dns.addTxt(challengeOf(domain), dns01Value(keyAuthorization))
  try {
    const names = ['*.gw.example.org', 'gw.example.org']
    const order = () =>
      orderCertificate(
        client,
        {
          names,
          challenge: 'dns-01',
          present: (proof) => present(proof.domain, proof.keyAuthorization),
          cleanup: (proof) => world.dns.removeTxt(challengeOf(proof.domain), dns01Value(proof.keyAuthorization)),
        },
        AbortSignal.timeout(120_000),
      )
    const all = await Promise.all(Array.from({ length: 10 }, order))
    for (const { chain } of all)
      expect(new X509Certificate(chain).subjectAltName).toBe(names.map((name) => `DNS:${name}`).join(', '))
    expect(new Set(all.map(({ chain }) => new X509Certificate(chain).serialNumber)).size).toBe(10)
    expect(world.dns.txt(challengeOf('gw.example.org'))).toEqual([])
  } finally {
    client.close()
    await world.close()
  }
})
