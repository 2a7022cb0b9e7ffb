import { describe, expect, test } from 'vitest'
import { type Certificate, definePlugin, type Stored } from '../../core/index.ts'
import { memory } from '../../plugins/store/memory/index.ts'
import { createAuthority } from '../kit/index.ts'
import { issue, labelOf } from './issued.ts'
import { anyHost, set, start, tableEngine } from './parts.ts'

const day = 86_400_000
const host = 'a.example.org'
const ago = (days: number) => new Date(Date.now() - days * day)

/** A resolver that gives what the test wants. */
const giving = (first: Certificate) => {
  const state = { next: first }
  const plugin = definePlugin({
    name: 'resolver/given',
    kind: 'resolver',
    setup: () => ({
      plan: ({ host }) => ({ mode: 'terminate' as const, resolver: 'given', names: [host] }),
      obtain: async () => state.next,
    }),
  })
  return { plugin, state }
}

const good = await issue([host], 'good')
const other = await issue([host], 'other')
const stranger = await createAuthority('stranger')
const useless: Readonly<Record<string, readonly [Certificate, RegExp]>> = {
  'for another key': [{ ...good, key: other.key }, /another key/],
  'with a key that does not parse': [{ ...good, key: good.key.slice(0, 60) }, /private key cannot be parsed/],
  'for another name': [await issue(['victim.example.net'], ''), /for victim.example.net, not for a.example.org/],
  'for a wildcard two labels up': [await issue(['*.org'], ''), /not for a.example.org/],
  'for the name in an IP address only': [await issue(['192.0.2.1'], ''), /not for a.example.org/],
  'that expired': [await issue([host], '', { notBefore: ago(90), notAfter: ago(1) }), /ended on/],
  'that is not valid yet': [await issue([host], '', { notBefore: ago(-9), notAfter: ago(-99) }), /not valid before/],
  'that is due already': [await issue([host], '', { notBefore: ago(85), notAfter: ago(-5) }), /less than a third/],
  'that lives less than an hour': [await issue([host], '', { notBefore: ago(0), notAfter: ago(-0.03) }), /less than an hour/],
  'that ends before it begins': [await issue([host], '', { notBefore: ago(-90), notAfter: ago(-9) }), /ends before it begins/],
  'with a chain that is no PEM': [{ ...other, chain: 'chain 1' }, /part 1 of its chain is no PEM/],
  'with an empty chain': [{ ...other, chain: '' }, /holds no certificate/],
  'with a broken part behind the leaf': [
    { ...other, chain: `${other.chain}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n` },
    /certificate 2 of its chain cannot be parsed/,
  ],
  'with a private key in its chain': [{ ...other, chain: other.chain + other.key }, /part 2 of its chain is no PEM/],
  'with garbage behind': [{ ...other, chain: `${other.chain}\0garbage` }, /is no PEM/],
  'with an issuer that did not sign it': [{ ...other, chain: other.chain + stranger.root }, /certificate 2 .* did not sign/],
  'with more parts than anybody has': [{ ...other, chain: other.chain + `${stranger.root}\n`.repeat(12) }, /more than 10/],
  'that is absurdly long': [{ ...other, chain: other.chain + '\n'.repeat(70_000) }, /more than 65536/],
}

describe('a renewal', () => {
  test.each(Object.entries(useless))('by a certificate %s leaves the good one, and says why', async (_, [bad, why]) => {
    const [engine, store, { plugin, state }] = [tableEngine(), memory(), giving(good)]
    const gateway = await start([store, anyHost(), plugin, engine.plugin])
    await gateway.dispatch(set('a', host), { wait: 'live' })
    state.next = bad
    const id = gateway.certificates.list()[0]?.id ?? ''
    await expect(gateway.certificates.renew(id)).rejects.toMatchObject({
      code: 'CERT_INVALID',
      message: expect.stringMatching(why),
    })
    expect(engine.state.certificates.map(labelOf)).toEqual(['good'])
    expect(gateway.certificates.list()[0]).toMatchObject({
      state: 'ready',
      code: 'CERT_INVALID',
      error: expect.stringMatching(why),
    })
    expect(await backedUp(gateway)).toContain(JSON.stringify(good.chain))
    state.next = await issue([host], 'better')
    await gateway.certificates.renew(id)
    expect(engine.state.certificates.map(labelOf)).toEqual(['better'])
    expect(gateway.certificates.list()[0]?.code).toBeUndefined()
    await gateway.close()
  })

  test('takes its dates out of the certificate, whatever the resolver says of them', async () => {
    const { plugin } = giving({ ...good, notBefore: new Date(0), notAfter: new Date(Number.NaN) })
    const gateway = await start([memory(), anyHost(), plugin, tableEngine().plugin])
    await gateway.dispatch(set('a', host), { wait: 'live' })
    const { notAfter } = gateway.certificates.list()[0]?.certificate ?? good
    expect(Math.abs(notAfter.getTime() - good.notAfter.getTime())).toBeLessThan(1_000)
    await gateway.close()
  })

  test('of one that says it lives for ever comes within a year all the same', async () => {
    const forever = await issue([host], 'forever', { notBefore: new Date(), notAfter: new Date('9999-12-31T23:59:59Z') })
    const { plugin } = giving(forever)
    const gateway = await start([memory(), anyHost(), plugin, tableEngine().plugin])
    await gateway.dispatch(set('a', host), { wait: 'live' })
    expect((gateway.certificates.list()[0]?.next?.getTime() ?? 0) - Date.now()).toBeLessThan(366 * day)
    await gateway.close()
  })

  test('leaves what is served where the engine cannot take the new one', async () => {
    const [engine, { plugin, state }] = [tableEngine(), giving(good)]
    const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
    await gateway.dispatch(set('a', host), { wait: 'live' })
    state.next = await issue([host], 'better')
    engine.state.install = () => Promise.reject(new Error('the engine is full'))
    const id = gateway.certificates.list()[0]?.id ?? ''
    await expect(gateway.certificates.renew(id)).rejects.toMatchObject({ message: expect.stringContaining('the engine is full') })
    expect(
      gateway.certificates
        .list()
        .flatMap(({ certificate }) => certificate ?? [])
        .map(labelOf),
    ).toEqual(['good'])
    await gateway.close()
  })
})

describe('a first certificate', () => {
  test.each(Object.entries(useless).filter(([, [, why]]) => !/ended|not valid|third|less than an hour/.test(why.source)))(
    '%s is not served, and not stored',
    async (_, [bad]) => {
      const [engine, { plugin }] = [tableEngine(), giving(bad)]
      const gateway = await start([memory(), anyHost(), plugin, engine.plugin])
      await expect(gateway.dispatch(set('a', host), { wait: 'live' })).rejects.toMatchObject({ code: 'CERT_PENDING' })
      expect(engine.state.certificates).toEqual([])
      expect(gateway.certificates.list()[0]).toMatchObject({ state: 'failed', code: 'CERT_INVALID' })
      expect(await backedUp(gateway)).not.toContain('"certificate"')
      await gateway.close()
    },
  )
})

test('a stored certificate of no use is not served after a restart, and another one is obtained', async () => {
  const stored = { ...good, id: 'given-1', resolver: 'given', names: [host] }
  const [engine, { plugin }] = [tableEngine(), giving(await issue([host], 'fresh'))]
  const routes: Stored['routes'] = []
  const store = definePlugin({
    name: 'store/given',
    kind: 'store',
    setup: () => ({
      load: () => ({ routes, certificates: [{ ...stored, key: other.key }], bytes: new Map(), state: new Map() }),
      commit: async () => undefined,
    }),
  })
  const gateway = await start([store, anyHost(), plugin, engine.plugin])
  expect(engine.state.certificates).toEqual([])
  await gateway.dispatch(set('a', host), { wait: 'live' })
  expect(engine.state.certificates.map(labelOf)).toEqual(['fresh'])
  await gateway.close()
})

const backedUp = async (gateway: { backup(): Promise<Iterable<string>> }) => [...(await gateway.backup())].join('')
