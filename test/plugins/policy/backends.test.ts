import { networkInterfaces } from 'node:os'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Draft, PublicConfig } from '../../../core/index.ts'
import { inRange, parseIp, parseRange } from '../../../lib/ip.ts'
import { classify, embedded } from '../../../lib/ip-class.ts'
import { type BackendsOptions, backends } from '../../../plugins/index.ts'
import { setUpAlone } from '../../kit/index.ts'
import { bracketed, forbidden, forms } from './forbidden.ts'

const check = async (
  list: readonly string[],
  options: BackendsOptions = {},
  passthrough = false,
  more: object = {},
  config?: PublicConfig,
) => {
  const { hooks } = await setUpAlone(backends(options), '/nowhere', config && { node: { publicConfig: () => config } })
  const draft = { id: '1-2-a', tenant: '1', host: 'example.org', backends: list, passthrough, ...more }
  return hooks.check(draft as unknown as Draft, new AbortController().signal)
}

describe('policy/backends', () => {
  describe.each(forbidden)('fault 3: %s', (ip, named) => {
    it.each(forms(ip))('refuses %s (passthrough %s) and names it', async (text, passthrough) =>
      expect(await check([text], {}, passthrough)).toEqual([
        { code: 'BACKEND_FORBIDDEN', message: expect.stringContaining(named), fix: expect.stringContaining('allow') },
      ]),
    )
  })
  it.each(['8.8.8.8', '2a02:1802::1', '2002:808:808::1'])('takes %s', async (ip) => {
    for (const [text, passthrough] of forms(ip)) expect(await check([text], {}, passthrough)).toEqual([])
  })
  it('names every backend that it refuses', async () =>
    expect(await check(['http://8.8.8.8', 'http://127.0.0.1', 'http://10.0.0.1'])).toHaveLength(2))

  it('takes private addresses where that is asked, and in a network of the tenant’s own', async () => {
    for (const ip of ['10.0.0.1', '172.31.0.1', '192.168.0.1', '100.64.0.1', 'fd00::1']) {
      expect(await check([`http://${bracketed(ip)}`], { private: true })).toEqual([])
      expect(await check([`http://${bracketed(ip)}`], {}, false, { network: 'net' })).toEqual([])
    }
    for (const ip of ['127.0.0.1', '169.254.1.1', '::', '2002:7f00:1::']) {
      expect(await check([`http://${bracketed(ip)}`], { private: true })).toHaveLength(1)
      expect(await check([`http://${bracketed(ip)}`], {}, false, { network: 'net' })).toHaveLength(1)
    }
  })
  it('takes the ranges that are allowed, as the zos preset does', async () => {
    const allow = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '200::/7', '400::/7']
    for (const ip of ['10.1.2.3', '172.20.0.1', '192.168.9.9', '201::1', '300:abcd::1', '5ff::1'])
      expect(await check([`http://${bracketed(ip)}`], { allow })).toEqual([])
    for (const ip of ['100.64.0.1', '127.0.0.1', 'fd00::1', '600::1'])
      expect(await check([`http://${bracketed(ip)}`], { allow })).toHaveLength(1)
  })
  it('looks into an allowed address at the one that it carries', async () => {
    const allow = ['64:ff9b::/96']
    expect(await check(['http://[64:ff9b::8.8.8.8]'], { allow })).toEqual([])
    expect(await check(['http://[64:ff9b::127.0.0.1]'], { allow })).toMatchObject([
      { message: expect.stringContaining('leads to 127.0.0.1') },
    ])
  })

  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, scopeid }) => !internal && !scopeid)
  it.each(own.map(({ address }) => address))('refuses %s, which this machine has, unless it is allowed', async (address) => {
    const text = `http://${bracketed(address)}:7`
    expect(await check([text])).toMatchObject([{ code: 'BACKEND_FORBIDDEN' }])
    expect(await check([text], { private: true })).toMatchObject([{ code: 'BACKEND_FORBIDDEN' }])
    expect(await check([text], { allow: [address] })).toEqual([])
  })
  it('leaves an address of this machine to a network of the tenant’s own, where it is another place', async () => {
    for (const { address } of own.filter(({ address }) => /^(10\.|192\.168\.|fd)/.test(address)))
      expect(await check([`http://${bracketed(address)}`], {}, false, { network: 'net' })).toEqual([])
  })

  const node = { ipv4: '198.51.100.7', ipv6: '2001:DB8:0::7' }
  it.each(['http://198.51.100.7', 'http://[2001:db8::7]:8000', 'http://[2002:c633:6407::1]'])(
    'refuses the node’s own address %s, in the reference’s words',
    async (text) =>
      expect(await check([text], {}, false, {}, node)).toMatchObject([
        { code: 'BACKEND_FORBIDDEN', message: expect.stringContaining("the node's own public IP address") },
      ]),
  )
  it('keeps the reference’s sentence', async () =>
    expect(await check(['198.51.100.7:443'], {}, true, {}, node)).toMatchObject([
      { message: "backend 198.51.100.7:443 points to the node's own public IP address" },
    ]))
  it('takes the node’s own address where that is allowed, but never the gateway’s own ports', async () => {
    const options = { allow: ['127.0.0.0/8', '::1', '198.51.100.7'], ownPorts: [8080, 8443], private: true }
    expect(
      await check(['http://198.51.100.7:9000', 'http://127.0.0.1:9000', 'http://[::1]:9000'], options, false, {}, node),
    ).toEqual([])
    const own = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
    const addresses = [
      '127.0.0.1',
      '127.9.9.9',
      '::1',
      '198.51.100.7',
      ...own.filter(({ scopeid }) => !scopeid).map(({ address }) => address),
    ]
    for (const ip of addresses)
      expect(await check([`http://${bracketed(ip)}:8080`], options, false, {}, node)).toMatchObject([
        { code: 'BACKEND_FORBIDDEN', message: expect.stringContaining('the gateway itself') },
      ])
    expect(await check(['http://8.8.8.8:8080'], options, false, {}, node)).toEqual([])
  })

  it('says so where a stored backend is none', async () =>
    expect(await check(['http://0x7f.1'])).toMatchObject([{ code: 'INVALID_BACKEND' }]))

  it('lets nothing through that is not public, or carries what is not', async () => {
    const { hooks } = await setUpAlone(backends(), '/nowhere')
    const within = (range: string) => parseRange(range) ?? expect.fail(range)
    const dangerous = [
      '127.0.0.0/8',
      '10.0.0.0/8',
      '169.254.0.0/16',
      '::/8',
      'fc00::/6',
      'fe80::/9',
      'ff00::/8',
      '64:ff9b::/32',
    ].map(within)
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.ipV4(),
          fc.ipV6(),
          fc.ipV4().map((ip) => `::ffff:${ip}`),
          fc.ipV4().map((ip) => `64:ff9b::${ip}`),
        ),
        async (text) => {
          const draft = { id: '1-2-a', tenant: '1', host: 'x.org', backends: [`http://${bracketed(text)}`], passthrough: false }
          const problems = await hooks.check(draft as unknown as Draft, new AbortController().signal)
          const ip = parseIp(text)!
          const inner = embedded(ip)
          const fine = ['global', '6to4'].includes(classify(ip)) && (!inner || classify(inner) === 'global')
          expect(problems.length).toBe(fine ? 0 : 1)
          if (fine) expect(dangerous.some((range) => inRange(ip, range))).toBe(false)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it.each([
    [{ allow: ['10.0.0.0/33'] }, 'allow'],
    [{ allow: ['localhost'] }, 'allow'],
    [{ allow: [7] }, 'allow'],
    [{ ownPorts: [0] }, 'ownPorts'],
    [{ ownPorts: ['80'] }, 'ownPorts'],
  ])('refuses %j where it is written', (options, key) =>
    expect(() => backends(options as never)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(`backends: ${key}`) }),
    ),
  )
})
