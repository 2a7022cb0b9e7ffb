import { expect, test } from 'vitest'
import type { Draft, WorkloadId } from '../../../core/index.ts'
import { dnsResolver, httpResolver } from '../../../plugins/index.ts'
import { setUpAlone, tempRoot } from '../../kit/index.ts'

const draft = (host: string, more: Partial<Draft> = {}): Draft =>
  Object.freeze({ id: '1-2-w' as WorkloadId, tenant: '1', backends: ['http://192.0.2.1'], passthrough: false, host, ...more })
const zone = 'gent01.grid.tf'

test('a domain of its own has a certificate of its own, a name under the zone shares its wildcard', async () => {
  const [http, dns] = await Promise.all([setUpAlone(httpResolver(), tempRoot().path), setUpAlone(dnsResolver(), tempRoot().path)])
  const own = { mode: 'terminate', resolver: 'resolver', names: ['example.org'], challenge: 'http-01' }
  expect(http.hooks.plan(draft('example.org'))).toEqual(own)
  expect(http.hooks.plan(draft('shop.gent01.grid.tf', { zone }))).toBeUndefined()
  const shared = { mode: 'terminate', resolver: 'dnsresolver', names: ['*.gent01.grid.tf'], challenge: 'dns-01' }
  expect(dns.hooks.plan(draft('shop.gent01.grid.tf', { zone }))).toEqual(shared)
  expect(dns.hooks.plan(draft('example.org'))).toBeUndefined()
  for (const each of [http, dns])
    expect(each.hooks.plan(draft('shop.gent01.grid.tf', { zone, passthrough: true }))).toBeUndefined()
})

test('with apex the certificate names the domain too', async () => {
  const { hooks } = await setUpAlone(dnsResolver({ apex: true }), tempRoot().path)
  expect(hooks.plan(draft('shop.gent01.grid.tf', { zone }))).toMatchObject({ names: ['*.gent01.grid.tf', 'gent01.grid.tf'] })
})

test('without what it needs to get a certificate each says which plugin to add', async () => {
  for (const resolver of [httpResolver(), dnsResolver()]) {
    const { hooks } = await setUpAlone(resolver, tempRoot().path)
    await expect(hooks.obtain?.(['example.org'], AbortSignal.timeout(1_000))).rejects.toMatchObject({
      code: 'PLUGIN_MISSING',
      fix: expect.stringContaining('acme()'),
    })
  }
})
