import { expect } from 'vitest'
import { defer } from '../kit/engine/world.ts'
import { startDns } from '../kit/index.ts'
import { faultOn } from './fault.ts'
import { issuing } from './issuing.ts'

const flood = 66
const names = (kind: string, count: number) => Array.from({ length: count }, (_, n) => `${kind}${n}.example`)

faultOn(
  26,
  'five hundred names of one tenant that fail take five orders of the shared account, and others get their certificates meanwhile',
  issuing,
  async (open) => {
    // The CA sees another world than the checks beforehand, so that names fail there which nothing here speaks against.
    const near = await startDns()
    defer(near.close)
    const at = await open({
      pebble: { nonceReject: 0 },
      acme: (ca) => ({ authorities: [{ ...ca.acme.authorities[0], limits: 'letsencrypt' }], nameServers: [near.address] }),
    })
    near.set('old.example', { A: ['127.0.0.1'] })
    const old = await at.oldRoute()
    at.ca.faults.fault = ({ path }) =>
      path === '/order-plz' && at.ca.faults.orders() > 300 ? { status: 429, headers: { 'retry-after': '10800' } } : undefined
    const [elsewhere, failing, good] = [names('elsewhere', 250), names('failing', 250), names('good', 10)]
    for (const host of elsewhere) near.set(host, { A: ['192.0.2.9'] })
    for (const host of failing) near.set(host, { A: ['127.0.0.1'] })
    for (const host of good) for (const dns of [near, at.ca.dns]) dns.set(host, { A: ['127.0.0.1'] })
    const before = at.ca.faults.orders()

    await Promise.all([...elsewhere, ...failing].map((host) => at.set(flood, host)))
    await Promise.all(good.map((host, n) => at.set(100 + n, host)))
    for (const host of good) {
      await expect.poll(() => at.state(host)?.state, { timeout: 120_000 }).toBe('ready')
      await expect.poll(() => at.shown(host).then((shown) => shown.checkHost(host), String), { timeout: 60_000 }).toBe(host)
    }
    let list = at.gateway.certificates.list()
    const failed = () => {
      list = at.gateway.certificates.list().filter(({ state }) => state === 'failed')
      return list.length
    }
    await expect.poll(failed, { timeout: 120_000 }).toBe(500)
    const codes = Object.groupBy(list, ({ code }) => code ?? 'none')
    // On a busy machine the name server of the test, which is this process, may not answer in time: nothing is ordered then either.
    const early = [...(codes.DNS_MISMATCH ?? []), ...(codes.DNS_FAILED ?? [])]
    for (const host of elsewhere)
      expect(
        early.some(({ names }) => names.includes(host)),
        host,
      ).toBe(true)
    // One that the CA refused is tried again after a minute, and then has no room either.
    const [refused, limited] = [codes.CHALLENGE_FAILED ?? [], codes.CA_LIMIT ?? []]
    expect(refused.length).toBeLessThanOrEqual(5)
    expect(refused.length + limited.length + early.length).toBe(500)
    expect(limited.every(({ next = new Date(0) }) => next.getTime() > Date.now())).toBe(true)
    expect(at.ca.faults.orders() - before).toBe(5 + good.length)
    await old.undisturbed()
  },
)
