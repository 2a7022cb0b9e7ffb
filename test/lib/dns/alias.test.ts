import { afterAll, expect, test } from 'vitest'
import { aliasOf } from '../../../lib/dns/alias.ts'
import { checkCaa } from '../../../lib/dns/caa.ts'
import { withoutSynthesized } from '../../../lib/dns/dns64.ts'
import { dnsLook } from '../../../lib/dns/look.ts'
import { checkPointsHere } from '../../../lib/dns/points-here.ts'
import { startDns } from '../../kit/index.ts'

const dns = await startDns()
afterAll(() => dns.close())
const look = dnsLook({ servers: [dns.address], signal: AbortSignal.timeout(60_000) })
const cname = (name: string, ...to: string[]) => dns.set(name, { CNAME: to })

test('CNAME records are followed to the last name, and where there are none there is no alias', async () => {
  cname('_acme-challenge.a.test', 'One.example')
  cname('one.example', 'two.example')
  expect(await aliasOf(look, '_acme-challenge.a.test')).toBe('two.example')
  expect(await aliasOf(look, '_acme-challenge.none.test')).toBeUndefined()
})

test('a circle of CNAME records, and a chain without end, are told', async () => {
  cname('_acme-challenge.b.test', 'three.example')
  cname('three.example', '_acme-challenge.b.test')
  await expect(aliasOf(look, '_acme-challenge.b.test')).rejects.toThrow(/circle/)
  cname('_acme-challenge.c.test', 'n0.example')
  for (let n = 0; n < 20; n++) cname(`n${n}.example`, `n${n + 1}.example`)
  await expect(aliasOf(look, '_acme-challenge.c.test')).rejects.toThrow(/more than 8/)
})

test('the CNAME of a wildcard is no alias: a record of the name takes its place', async () => {
  cname('*.d.test', 'd.test')
  expect(await aliasOf(look, '_acme-challenge.d.test')).toBeUndefined()
})

const ca = { identities: ['ca.example'], challenge: 'http-01' }
const caaOf = (name: string, value: string) => dns.set(name, { CAA: [{ tag: 'issue', value }] })

test.each([
  ['ca.example; accounturi=https://ca.example/acct/1?x=y', true],
  ['ca.example; accounturi=https://ca.example/acct/2', false],
  ['ca.example; validationmethods=dns-01', false],
  ['ca.example; validationmethods = dns-01, http-01 ; accounturi = https://ca.example/acct/1?x=y', true],
  ['ca.example; accounturi=https://ca.example/acct/1?x=y; accounturi=https://ca.example/acct/2', false],
])('CAA "%s" allows the account: %s', async (value, allowed) => {
  caaOf('caa.test', value)
  const problem = await checkCaa(look, { ...ca, name: 'caa.test', accountOf: async () => 'https://ca.example/acct/1?x=y' })
  expect(problem === undefined).toBe(allowed)
})

test('what CAA lacks is to be added at the target of a CNAME, and with the account where records limit those', async () => {
  dns.set('alias.test', { CNAME: ['target.test'], CAA: [{ tag: 'issue', value: 'other.example' }] })
  expect(await checkCaa(look, { ...ca, name: 'alias.test' })).toMatchObject({
    code: 'CAA_FORBIDS',
    fix: 'add to the zone of target.test: target.test. CAA 0 issue "ca.example"',
  })
  caaOf('account.test', 'ca.example; accounturi=https://ca.example/acct/2')
  expect(await checkCaa(look, { ...ca, name: 'account.test', accountOf: async () => 'https://ca.example/acct/1' })).toMatchObject(
    {
      fix: 'add to the zone of account.test: account.test. CAA 0 issue "ca.example; accounturi=https://ca.example/acct/1"',
    },
  )
})

test('AAAA records that the resolver made of the A records are nobody elses, by the well-known prefix and by one of the network', async () => {
  const here = { ipv4: '198.51.100.7' }
  dns.set('dns64.test', { A: ['198.51.100.7'], AAAA: ['64:ff9b::c633:6407'] })
  expect(await checkPointsHere(look, 'dns64.test', here)).toBeUndefined()
  dns.set('own.test', { A: ['198.51.100.7'], AAAA: ['2001:db8:122:344::c633:6407'] })
  expect(await checkPointsHere(look, 'own.test', here)).toMatchObject({ code: 'DNS_MISMATCH' })
  dns.set('ipv4only.arpa', { A: ['192.0.0.170', '192.0.0.171'], AAAA: ['2001:db8:122:344::192.0.0.170'] })
  expect(await checkPointsHere(look, 'own.test', here)).toBeUndefined()
  const others = ['2001:db8:1::1', '64:ff9b::c633:6408']
  expect(await withoutSynthesized(look, ['198.51.100.7'], ['64:ff9b::c633:6407', ...others])).toEqual(others)
})
