import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { AcmeOptions } from '../../../plugins/index.ts'
import { responder } from '../../../plugins/index.ts'
import { type AcmeWorld, type Fault, freePort, startAcmeWorld } from '../../kit/index.ts'
import { domain, type Served, serve } from './acme-parts.ts'

let world: AcmeWorld
let served: Served | undefined
let ca: string
beforeAll(async () => {
  world = await startAcmeWorld({ blocklist: ['blocked.example'], caaIdentities: ['pebble.example'] })
  ca = await world.pebble.root()
  world.dns.set('*.example', { A: ['127.0.0.1'] })
})
afterEach(async () => {
  vi.useRealTimers()
  world.faults.fault = () => undefined
  await served?.close()
  served = undefined
})
afterAll(() => world.close())

/** What `gateway certs` shows of a name once its first try has failed. */
const failed = async (name: string) => {
  const shown = () => served?.certificate(name)
  await expect.poll(() => shown()?.code, { timeout: 50_000 }).toBeDefined()
  return shown()
}

describe('fault 17: with a CA that fails the served certificate stays, and the next try has a time', () => {
  const faults: Record<string, [Fault, code: string, error: RegExp]> = {
    '503': [{ status: 503 }, 'CA_UNREACHABLE', /not in service/],
    'cuts connections': ['cut', 'CA_UNREACHABLE', /cannot be asked/],
    'sends half an answer': ['half', 'CA_UNREACHABLE', /cannot be asked/],
    'answers with what is no JSON': [
      { status: 200, headers: { location: 'https://localhost/x' }, body: '{"newNonce":' },
      'CA_UNREACHABLE',
      /no whole JSON/,
    ],
    'limits, by a problem': [
      {
        status: 429,
        headers: { 'retry-after': '7200', 'content-type': 'application/problem+json' },
        body: '{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many new orders"}',
      },
      'CA_LIMIT',
      /too many new orders/,
    ],
    'limits, by a page of something in front of it': [
      { status: 429, headers: { 'retry-after': '7200' } },
      'CA_LIMIT',
      /too many/,
    ],
    'refuses every nonce': [
      {
        status: 400,
        headers: { 'content-type': 'application/problem+json', 'replay-nonce': 'abc' },
        body: '{"type":"urn:ietf:params:acme:error:badNonce","detail":"no"}',
      },
      'CA_UNREACHABLE',
      /refused 20 nonces/,
    ],
  }
  for (const [what, [fault, code, error]] of Object.entries(faults))
    test(what, async () => {
      served = await serve(world)
      await served.fqdn('good.example')
      const before = await served.seen('good.example', ca)
      world.faults.fault = ({ method }) => (method === 'HEAD' || method === 'GET' ? undefined : fault)
      if (what.includes('JSON') || what.includes('503')) world.faults.fault = () => fault
      const renewed = served.gateway.certificates.renew(served.certificate('good.example')?.id ?? '')
      await expect(renewed).rejects.toMatchObject({ code, fix: expect.stringMatching(/./) })
      const shown = served.certificate('good.example')
      expect(shown).toMatchObject({ state: 'ready', code, error: expect.stringMatching(error), next: expect.any(Date) })
      if (code === 'CA_LIMIT') expect((shown?.next?.getTime() ?? 0) - Date.now()).toBeGreaterThan(7_100_000)
      expect(await served.seen('good.example', ca)).toEqual(before)
    })
})

test('fault 17: one that refuses nine nonces of ten is asked again with new ones', async () => {
  const nervous = await startAcmeWorld({ nonceReject: 90 })
  nervous.dns.set('good.example', { A: ['127.0.0.1'] })
  try {
    served = await serve(nervous)
    await served.fqdn('good.example', {})
    const state = () => served?.certificate('good.example')
    await expect.poll(() => state()?.state, { timeout: 60_000 }).not.toBe('pending')
    // Luck decides whether it comes to a certificate now; else it is tried again, and nothing but the nonces is in the way.
    if (state()?.state === 'failed') expect(state()?.error).toMatch(/nonce/i)
    else expect(await served.seen('good.example', await nervous.pebble.root())).toMatchObject({ names: 'DNS:good.example' })
  } finally {
    await served?.close()
    served = undefined
    await nervous.close()
  }
})

describe('what is wrong with one name is said, and no other name hears of it', () => {
  const names: Record<string, { code: string; fix: RegExp; orders: number; prepare?: () => void }> = {
    'blocked.example': { code: 'NAME_BLOCKED', fix: /another name/, orders: 1 },
    'caa.example': {
      code: 'CAA_FORBIDS',
      fix: /caa\.example\. CAA 0 issue "pebble\.example"/,
      orders: 0,
      prepare: () => world.dns.set('caa.example', { A: ['127.0.0.1'], CAA: [{ tag: 'issue', value: 'other.example' }] }),
    },
    'elsewhere.example': {
      code: 'DNS_MISMATCH',
      fix: /elsewhere\.example\. A 127\.0\.0\.1/,
      orders: 0,
      prepare: () => world.dns.set('elsewhere.example', { A: ['192.0.2.9'] }),
    },
    'v6.example': {
      code: 'DNS_MISMATCH',
      fix: /take the AAAA record of v6\.example out/,
      orders: 0,
      prepare: () => world.dns.set('v6.example', { A: ['127.0.0.1'], AAAA: ['2001:db8::9'] }),
    },
    'failing.example': {
      code: 'DNS_FAILED',
      fix: /name servers of failing\.example/,
      orders: 0,
      prepare: () => world.dns.set('failing.example', 'SERVFAIL'),
    },
    'absent.invalid': { code: 'DNS_MISMATCH', fix: /add to its zone: absent\.invalid\. A 127\.0\.0\.1/, orders: 0 },
  }
  for (const [name, { code, fix, orders, prepare }] of Object.entries(names))
    test(`${name}: ${code}`, async () => {
      prepare?.()
      served = await serve(world)
      const before = world.faults.orders()
      await served.fqdn(name, {})
      expect(await failed(name)).toMatchObject({ state: 'failed', code, fix: expect.stringMatching(fix), next: expect.any(Date) })
      expect(world.faults.orders() - before).toBe(orders)
      await served.fqdn('good.example')
      expect(await served.seen('good.example', ca)).toMatchObject({ names: 'DNS:good.example' })
      const listed = await served.gateway.status().plugins.find((each) => each.name === 'service/acme')
      expect(listed).toMatchObject({ state: 'degraded', reason: expect.stringContaining(`no certificate for ${name}: ${code}`) })
    })

  test('a wildcard whose challenge zone is not delegated: DELEGATION_MISSING, with the record to add', async () => {
    served = await serve(world, { dns: responder({ addresses: ['127.0.0.1'], port: await freePort() }) })
    world.dns.set(domain, { A: ['127.0.0.1'] })
    await served.name('shop', {})
    const fix = `add to the zone of ${domain}: _acme-challenge.${domain}. NS ${domain}.`
    expect(await failed(`*.${domain}`)).toMatchObject({ code: 'DELEGATION_MISSING', fix })
    world.dns.set(`__acme-challenge.${domain}`, { NS: [domain] })
    await expect(served.gateway.certificates.renew(served.certificate(`*.${domain}`)?.id ?? '')).rejects.toThrow(
      /one underscore too many/,
    )
    await served.fqdn('good.example')
  })
})

test('a port 80 that is closed is found before an order: CHALLENGE_UNREACHABLE', async () => {
  const closed = await freePort()
  served = await serve(world, { acme: { httpPort: closed } })
  const before = world.faults.orders()
  await served.fqdn('good.example', {})
  const fix = expect.stringContaining(`let port ${closed} of every address of good.example through`)
  expect(await failed('good.example')).toMatchObject({ code: 'CHALLENGE_UNREACHABLE', fix })
  expect(world.faults.orders()).toBe(before)
})

describe('what is wrong with a CA is said', () => {
  const cas: Record<string, { acme: () => AcmeOptions | Promise<AcmeOptions>; code: string; fix: RegExp }> = {
    'a URL that is no directory': {
      acme: () => ({
        authorities: [{ ...world.acme.authorities[0], directory: world.faults.directory.replace('/dir', '/nothing') }],
      }),
      code: 'CA_UNREACHABLE',
      fix: /URL of the CA/,
    },
    'nobody there': {
      acme: async () => ({ authorities: [{ directory: `https://localhost:${await freePort()}/dir` }] }),
      code: 'CA_UNREACHABLE',
      fix: /way from this machine/,
    },
    'TLS that nobody vouches for': {
      acme: () => ({ authorities: [{ directory: world.faults.directory }] }),
      code: 'CA_UNREACHABLE',
      fix: /URL of the CA/,
    },
  }
  for (const [what, { acme, code, fix }] of Object.entries(cas))
    test(what, async () => {
      served = await serve(world, { acme: await acme() })
      await served.fqdn('good.example', {})
      expect(await failed('good.example')).toMatchObject({ state: 'failed', code, fix: expect.stringMatching(fix) })
      const plugin = served.gateway.status().plugins.find(({ name }) => name === 'service/acme')
      expect(plugin).toMatchObject({ state: 'degraded', reason: expect.stringContaining(code) })
    })

  test('another one in the list steps in', async () => {
    const away = { directory: `https://localhost:${await freePort()}/dir` }
    served = await serve(world, { acme: { authorities: [away, world.acme.authorities[0]] } })
    await served.fqdn('good.example')
    expect(await served.seen('good.example', ca)).toMatchObject({ names: 'DNS:good.example' })
  })

  test('an external account that is missing or wrong: EAB_INVALID, and the right one is taken', async () => {
    const key = Buffer.from('an account key for the tests, of 32 bytes at least').toString('base64url')
    const bound = await startAcmeWorld({ eab: { 'kid-1': key } })
    bound.dns.set('good.example', { A: ['127.0.0.1'] })
    const [authority] = bound.acme.authorities
    const log: string[] = []
    try {
      for (const eab of [undefined, { id: 'kid-2', key }, { id: 'kid-1', key: `${key.slice(0, -4)}AAAA` }]) {
        served = await serve(bound, { acme: { authorities: [{ ...authority, ...(eab && { eab }) }] } })
        await served.fqdn('good.example', {})
        const shown = await failed('good.example')
        expect(shown).toMatchObject({ code: 'EAB_INVALID', fix: expect.stringContaining('eab') })
        log.push(JSON.stringify(shown))
        await served.close()
        log.push(...served.log)
      }
      served = await serve(bound, { acme: { authorities: [{ ...authority, eab: { id: 'kid-1', key } }] } })
      await served.fqdn('good.example')
      log.push(...served.log, JSON.stringify(served.certificate('good.example')))
      expect(log.join()).toContain('made an account')
      expect(log.join()).not.toContain(key)
      expect(served.log.join()).not.toContain('PRIVATE KEY')
    } finally {
      await served?.close()
      served = undefined
      await bound.close()
    }
  })

  test('a clock that is off by a day is told beside the certificate', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() - 86_400_000)
    served = await serve(world)
    await served.fqdn('good.example')
    expect(served.certificate('good.example')).toMatchObject({
      state: 'ready',
      code: 'CLOCK_SKEW',
      error: expect.stringContaining('24.0 h behind'),
      fix: expect.stringContaining('NTP'),
    })
  })
})

test('a CA that hangs keeps nobody from stopping', async () => {
  world.faults.fault = ({ path }) => (path === '/order-plz' ? 'hang' : undefined)
  served = await serve(world)
  await served.fqdn('good.example', {})
  await expect.poll(() => world.faults.asked.at(-1)).toBe('POST /order-plz')
  await served.close()
  served = undefined
})
