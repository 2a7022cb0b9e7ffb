import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createGateway, Doctor, definePlugin, type Finding, type Plugin } from '../../../../core/index.ts'
import { acme, type DoctorOptions, doctor, memory, responder, staticNode } from '../../../../plugins/index.ts'
import { createAuthority, freePort, startDns, startPebble, tempRoot } from '../../../kit/index.ts'
import { type Bind, startBind, type Zones } from './bind.ts'

const domain = 'gw.grid.test'
const zone = 'grid.test'
const challenge = `_acme-challenge.${domain}.`
/** What `gateway dns-records` says, and what a full node therefore has. */
const right = [`${domain}. A 127.0.0.2`, `*.${domain}. CNAME ${domain}.`, `${challenge} NS ${domain}.`]

interface Patient {
  readonly at: Bind
  readonly doctor: Doctor
  /** One finding of a name. */
  find(name: string, check: Finding['check']): Promise<Finding | undefined>
}
const examined = async (
  zones: Zones,
  more: (at: Bind) => readonly Plugin[] = () => [],
  options: DoctorOptions = {},
  delegated: Readonly<Record<string, string>> = {},
): Promise<Patient> => {
  const [root, at] = [tempRoot('doctor'), await startBind(zones, { [challenge.slice(0, -1)]: undefined, ...delegated })]
  let given: Doctor | undefined
  const taker = definePlugin({
    name: 'service/taker',
    kind: 'service',
    needs: { doctor: Doctor },
    setup: ({ doctor }) => {
      given = doctor
      return {}
    },
  })
  const gateway = await createGateway(
    {
      plugins: [
        memory(),
        staticNode({ ipv4: '127.0.0.2', domain }),
        doctor({ nameServers: [`127.0.0.1:${at.port}`], dnsPort: at.port, ...options }),
        taker,
        ...more(at),
      ],
    },
    { root: root.path },
  )
  onTestFinished(async () => {
    await gateway.close()
    await at.close()
    await root.remove()
  })
  if (!given) throw new Error('no doctor was given')
  const doctor_ = given
  return {
    at,
    doctor: doctor_,
    find: async (name, check) =>
      (await doctor_.examine(name, AbortSignal.timeout(30_000))).findings.find((finding) => finding.check === check),
  }
}
const answering = ({ port }: Bind) => [responder({ addresses: ['127.0.0.2'], port })]

describe('service/doctor on the zone of name workloads', () => {
  it('finds nothing wrong where the zone has what dns-records says', async () => {
    const { find, doctor } = await examined({ [zone]: right }, answering)
    expect(await doctor.records(AbortSignal.timeout(5_000))).toEqual([
      `${domain}. 300 IN A 127.0.0.2`,
      `*.${domain}. 300 IN CNAME ${domain}.`,
      `${challenge} 300 IN NS ${domain}.`,
    ])
    for (const check of ['address', 'delegation', 'challenge', 'caa'] as const)
      expect(await find(`shop.${domain}`, check)).toMatchObject({ check, state: 'ok' })
  })

  it('takes one label for a name under the domain', async () => {
    const { doctor } = await examined({ [zone]: right })
    expect((await doctor.examine('Shop', AbortSignal.timeout(30_000))).host).toBe(`shop.${domain}`)
  })

  it.each([
    ['no delegation, which a * record hides from recursive servers', [], /is not delegated in the zone grid\.test$/],
    [
      'two underscores',
      [`_${challenge} NS ${domain}.`],
      /__acme-challenge\.gw\.grid\.test \(NS gw\.grid\.test\): it begins with two underscores/,
    ],
    ['no underscore', [`acme-challenge.${domain}. NS ${domain}.`], /acme-challenge\.gw\.grid\.test .*its underscore is missing/],
    [
      'the level of the zone',
      [`_acme-challenge.${zone}. NS ${domain}.`],
      /that is the level of grid\.test, not of gw\.grid\.test/,
    ],
    ['no dot at the end', [`${challenge}${zone}. NS ${domain}.`], /its line has no dot at the end/],
    ['a CNAME', [`${challenge} CNAME elsewhere.test.`], /is an alias \(CNAME\) of elsewhere\.test/],
    ['a TXT of an earlier try', [`${challenge} TXT "old"`], /has a TXT record that somebody wrote/],
  ])('knows the slip of %s, and says the line to write', async (_, lines, seen) => {
    const { find } = await examined({ [zone]: [...right.slice(0, 2), ...lines] })
    expect(await find('shop', 'delegation')).toEqual({
      check: 'delegation',
      state: 'bad',
      seen: expect.stringMatching(seen),
      fix: expect.stringContaining(`_acme-challenge.${domain}. NS ${domain}.`),
    })
  })

  it.each([
    [
      'another node',
      [`other.${zone}. A 127.0.0.3`, `${challenge} NS other.${zone}.`],
      /other\.grid\.test is at 127\.0\.0\.3, which is not this node/,
    ],
    [
      'an alias',
      [`ns1.${zone}. CNAME ${domain}.`, `${challenge} NS ns1.${zone}.`],
      /is an alias \(CNAME\), which no NS record may lead to/,
    ],
    ['a name without an address', [`${challenge} NS nowhere.${zone}.`], /nowhere\.grid\.test has no address/],
  ])('tells a delegation to %s', async (_, lines, seen) => {
    const { find } = await examined({ [zone]: [...right.slice(0, 2), ...lines] })
    expect(await find('shop', 'delegation')).toMatchObject({ state: 'bad', seen: expect.stringMatching(seen) })
  })

  it('tells a name server that does not answer from one that is not delegated to', async () => {
    const { find } = await examined({ [zone]: right })
    expect(await find('shop', 'delegation')).toMatchObject({ state: 'ok' })
    expect(await find('shop', 'challenge')).toMatchObject({ state: 'bad', fix: expect.stringContaining('port 53') })
  })

  it('tells a name server that answers for another zone', async () => {
    const { find } = await examined({ [zone]: right }, ({ port }) => [
      responder({ addresses: ['127.0.0.2'], port, domains: ['other.test'] }),
    ])
    expect(await find('shop', 'challenge')).toMatchObject({
      state: 'bad',
      seen: expect.stringContaining('127.0.0.2 answers REFUSED to SOA'),
    })
  })

  it('does not know what it cannot ask', async () => {
    const { find } = await examined({ [zone]: right }, answering, { dnsPort: await freePort() })
    expect(await find('shop', 'delegation')).toMatchObject({ state: 'unknown', fix: expect.stringContaining(`${challenge} NS`) })
  })

  it('asks for the wildcard’s CAA, by the name of the CA', async () => {
    const ca = await startPebble({ dns: '127.0.0.1:1', caaIdentities: ['pebble.test'] })
    onTestFinished(() => ca.close())
    const authorities = [{ directory: ca.directory, trust: ca.trustFile, limits: 'letsencrypt' as const }]
    const lines = [...right, `${domain}. CAA 0 issue "pebble.test"`, `${domain}. CAA 0 issuewild "other.test"`]
    const { find } = await examined({ [zone]: lines }, () => [acme({ authorities })])
    expect(await find('shop', 'caa')).toEqual({
      check: 'caa',
      state: 'bad',
      seen: expect.stringContaining('do not allow pebble.test'),
      fix: expect.stringContaining(`${domain}. CAA 0 issuewild "pebble.test"`),
    })
    expect(await find('shop', 'budget')).toMatchObject({ state: 'ok', seen: expect.stringMatching(/^\d+ of \d+ .* are left$/) })
  })
})

describe('service/doctor on a whole host name', () => {
  it.each([
    ['no record', [], 'does not exist', `shop.${zone}. A 127.0.0.2`],
    ['another address', [`shop.${zone}. A 127.0.0.9`], 'points to 127.0.0.9', `shop.${zone}. A 127.0.0.2`],
    ['an AAAA beside the right A', [`shop.${zone}. A 127.0.0.2`, `shop.${zone}. AAAA 2001:db8::1`], '2001:db8::1', 'AAAA'],
  ])('says what to write for %s', async (_, lines, seen, fix) => {
    const { find } = await examined({ [zone]: lines })
    expect(await find(`shop.${zone}`, 'address')).toEqual({
      check: 'address',
      state: 'bad',
      seen: expect.stringContaining(seen),
      fix: expect.stringContaining(fix),
    })
  })

  it('follows an alias to this node', async () => {
    const { find } = await examined({ [zone]: [`shop.${zone}. CNAME ${domain}.`, `${domain}. A 127.0.0.2`] })
    expect(await find(`shop.${zone}`, 'address')).toMatchObject({ state: 'ok' })
    expect(await find(`shop.${zone}`, 'apex')).toBeUndefined()
  })

  it('knows a CNAME at the top of a zone', async () => {
    const other = await startDns()
    onTestFinished(() => other.close())
    other.set(`shop.${zone}`, { CNAME: [`${domain}.`], A: ['127.0.0.2'] })
    const lines = [`shop.${zone}. NS ns.${zone}.`, `${domain}. A 127.0.0.2`]
    const { find } = await examined({ [zone]: lines }, undefined, {}, { [`shop.${zone}`]: `127.0.0.1 port ${other.port}` })
    expect(await find(`shop.${zone}`, 'apex')).toEqual({
      check: 'apex',
      state: 'bad',
      seen: expect.stringContaining(`an alias (CNAME) of ${domain}`),
      fix: `put addresses in place of the CNAME: shop.${zone}. A 127.0.0.2`,
    })
  })

  it('looks through both doors, and says whose certificate is shown', async () => {
    const authority = await createAuthority('doctor')
    const { chain, key } = await authority.issue([`other.${zone}`])
    const plain = createServer((_, answer) => void answer.writeHead(404).end()).listen(0, '127.0.0.2')
    const tls = createTlsServer({ cert: chain, key }, (socket) => void socket.end()).listen(0, '127.0.0.2')
    await Promise.all([once(plain, 'listening'), once(tls, 'listening')])
    onTestFinished(() => {
      plain.close()
      tls.close()
    })
    const port = (server: typeof plain | typeof tls) => (server.address() as AddressInfo).port
    const lines = [`shop.${zone}. A 127.0.0.2`, `other.${zone}. A 127.0.0.2`]
    const { find } = await examined({ [zone]: lines }, undefined, { http: port(plain), https: port(tls) })
    expect(await find(`shop.${zone}`, 'port-80')).toMatchObject({ state: 'ok' })
    expect(await find(`shop.${zone}`, 'port-443')).toMatchObject({
      state: 'warn',
      seen: expect.stringContaining(`other.${zone}`),
    })
    expect(await find(`other.${zone}`, 'port-443')).toMatchObject({ state: 'ok' })
  })

  it('says which door is closed', async () => {
    const [http, https] = [await freePort(), await freePort()]
    const { find } = await examined({ [zone]: [`shop.${zone}. A 127.0.0.2`] }, undefined, { http, https })
    expect(await find(`shop.${zone}`, 'port-80')).toMatchObject({
      state: 'bad',
      fix: expect.stringContaining(`TCP port ${http}`),
    })
    expect(await find(`shop.${zone}`, 'port-443')).toMatchObject({
      state: 'bad',
      fix: expect.stringContaining(`TCP port ${https}`),
    })
  })

  it.each(['a b', '_acme-challenge.gw.grid.test', '127.0.0.1', '', `${'a'.repeat(64)}.test`])('refuses %j', async (name) => {
    const { doctor } = await examined({ [zone]: right })
    await expect(doctor.examine(name, AbortSignal.timeout(30_000))).rejects.toMatchObject({ code: 'INVALID_FQDN' })
  })
})
