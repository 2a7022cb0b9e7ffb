import { afterEach, describe, expect, it } from 'vitest'
import type { Draft, PublicConfig } from '../../../core/index.ts'
import { type PointsHereOptions, pointsHere } from '../../../plugins/index.ts'
import { setUpAlone } from '../../kit/index.ts'
import { type NameServer, nameServer, type Said } from './name-server.ts'

const here = { ipv4: '198.51.100.7', ipv6: '2001:DB8:0::7' }
const servers: NameServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})
const ask = async (said: Readonly<Record<string, Said>>) => {
  const server = await nameServer(said)
  servers.push(server)
  return server
}
const check = async (
  host: string,
  options: PointsHereOptions,
  {
    config = here,
    zone,
    signal = new AbortController().signal,
  }: { config?: PublicConfig; zone?: string; signal?: AbortSignal } = {},
) => {
  const { hooks } = await setUpAlone(pointsHere(options), '/nowhere', { node: { publicConfig: () => config } })
  const draft = { id: '1-2-a', tenant: '1', backends: [], passthrough: false, host, ...(zone && { zone }) }
  return hooks.check(draft as unknown as Draft, signal)
}
const checkBy = async (said: Said, options: PointsHereOptions = {}, config: PublicConfig = here) => {
  const { address } = await ask({ 'example.org': said })
  return check('example.org', { resolvers: [address], ...options }, { config })
}

describe('policy/points-here', () => {
  it.each([
    ['its IPv4 address', ['198.51.100.7']],
    ['its IPv6 address, in another spelling', ['2001:db8::0:7']],
    ['both', ['198.51.100.7', '2001:db8::7']],
    ['another one too', ['192.0.2.1', '198.51.100.7']],
  ])('takes a domain that points to %s', async (_, said) => expect(await checkBy(said)).toEqual([]))

  it('compares with the family that the node has', async () => {
    expect(await checkBy(['2001:db8::7'], {}, { ipv6: '2001:db8::7' })).toEqual([])
    expect(await checkBy(['2001:db8::7'], {}, { ipv4: '198.51.100.7' })).toMatchObject([{ code: 'DNS_MISMATCH' }])
  })

  const wrong: readonly (readonly [Said, string])[] = [
    [['192.0.2.1'], 'example.org points to 192.0.2.1'],
    [['192.0.2.1', '2001:db8::1'], 'example.org points to 192.0.2.1, 2001:db8::1'],
    [['2001:db8::1'], 'example.org points to 2001:db8::1'],
    [[], 'example.org has neither an A nor an AAAA record'],
    ['NXDOMAIN', 'example.org does not exist (NXDOMAIN)'],
    ['cname-loop', 'example.org has neither an A nor an AAAA record'],
  ]
  it.each(wrong)('fault 28: refuses %j, naming what was seen', async (said, seen) =>
    expect(await checkBy(said)).toEqual([
      {
        code: 'DNS_MISMATCH',
        message: `failed to verify domain dns record: host doesn't point to the gateway ip: ${seen}`,
        fix: expect.stringContaining('198.51.100.7 or 2001:db8::7'),
      },
    ]),
  )
  const unanswered: readonly (readonly [Said, string])[] = [
    ['SERVFAIL', 'the name servers of example.org failed (SERVFAIL)'],
    ['REFUSED', 'the name servers refused to answer for example.org (REFUSED)'],
    ['silence', 'no name server answered for example.org in time'],
  ]
  it.each(unanswered)('fault 28: answers DNS_UNAVAILABLE, not the fault of the caller, to %j', async (said, seen) => {
    for (const agree of ['one', 'all'] as const)
      expect(await checkBy(said, { timeout: 0.3, agree })).toEqual([
        { code: 'DNS_UNAVAILABLE', message: `failed to verify domain dns record: ${seen}`, fix: expect.any(String) },
      ])
  })
  it('answers DNS_UNAVAILABLE where no name server can be reached', async () =>
    expect(await check('example.org', { resolvers: ['127.0.0.1:1'], timeout: 0.5 })).toMatchObject([
      { code: 'DNS_UNAVAILABLE', message: expect.stringContaining('for example.org') },
    ]))
  it.each([
    ['one', [], 'DNS_UNAVAILABLE'],
    ['one', ['192.0.2.1'], 'DNS_UNAVAILABLE'],
    ['one', ['198.51.100.7'], undefined],
    ['all', ['198.51.100.7'], 'DNS_UNAVAILABLE'],
    ['all', ['192.0.2.1'], 'DNS_MISMATCH'],
  ] as const)('agree: %s with A %j and no answer about AAAA gives %s', async (agree, addresses, code) => {
    const problems = await checkBy({ a: addresses, aaaa: 'SERVFAIL' }, { agree })
    expect(problems.map((problem) => problem.code)).toEqual(code ? [code] : [])
  })
  it('asks the next name server where the first says nothing', async () => {
    const silent = await ask({ 'example.org': 'silence' })
    const good = await ask({ 'example.org': ['198.51.100.7'] })
    expect(await check('example.org', { resolvers: [silent.address, good.address], timeout: 4 })).toEqual([])
  })
  it('wants every address where that is asked', async () => {
    expect(await checkBy(['198.51.100.7', '2001:db8::7'], { agree: 'all' })).toEqual([])
    expect(await checkBy(['198.51.100.7', '192.0.2.1'], { agree: 'all' })).toMatchObject([{ code: 'DNS_MISMATCH' }])
  })
  it('names a few of many addresses', async () => {
    const many = Array.from({ length: 20 }, (_, at) => `192.0.2.${at + 1}`)
    expect(await checkBy(many)).toMatchObject([{ message: expect.stringContaining('and 12 more') }])
  })

  it('asks nobody for names of the gateway', async () => {
    const { address, asked } = await ask({})
    expect(await check('shop.gent01.grid.tf', { resolvers: [address] }, { zone: 'gent01.grid.tf' })).toEqual([])
    expect(asked).toEqual([])
  })
  it('asks nobody for localhost, which is this machine (RFC 6761 section 6.3)', async () => {
    const { address, asked } = await ask({})
    expect(await check('app.localhost', { resolvers: [address] }, { config: { ipv4: '127.0.0.1' } })).toEqual([])
    expect(await check('app.localhost', { resolvers: [address] })).toMatchObject([{ code: 'DNS_MISMATCH' }])
    expect(asked).toEqual([])
  })
  it('says so where the node has no address', async () =>
    expect(await check('example.org', {}, { config: { domain: 'gent01.grid.tf' } })).toMatchObject([
      { code: 'NO_PUBLIC_CONFIG' },
    ]))
  it('stops when it is told to', async () => {
    const { address } = await ask({ 'example.org': 'silence' })
    const stop = new AbortController()
    const checking = check('example.org', { resolvers: [address] }, { signal: stop.signal })
    stop.abort(new Error('told to'))
    await expect(checking).rejects.toThrow('told to')
  })

  it.each([
    [{ resolvers: ['dns.example.org'] }, 'resolvers'],
    [{ resolvers: ['1.1.1.1:99999'] }, 'resolvers'],
    [{ resolvers: '1.1.1.1' }, 'resolvers'],
    [{ timeout: 0 }, 'timeout'],
    [{ timeout: 60 }, 'timeout'],
    [{ timeout: '10' }, 'timeout'],
    [{ agree: 'none' }, 'agree'],
  ])('refuses %j where it is written', (options, key) =>
    expect(() => pointsHere(options as never)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(`pointsHere: ${key}`) }),
    ),
  )
})
