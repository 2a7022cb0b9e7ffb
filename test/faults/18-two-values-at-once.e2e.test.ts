import { X509Certificate } from 'node:crypto'
import { expect, onTestFinished } from 'vitest'
import { askTexts } from '../../lib/dns/ask.ts'
import { dnsmasq, processes, responder } from '../../plugins/index.ts'
import { challengeValue, keptChildren } from '../kit/index.ts'
import { dnsmasqPath } from '../kit/programs.ts'
import { startOrders } from '../plugins/dns-provider/orders.ts'
import { beside } from './beside.ts'
import { fault } from './fault.ts'

const domains = Array.from({ length: 40 }, (_, at) => `gw${at}.example.org`)
const place = { domains, addresses: ['127.0.0.1'] }
const providers = {
  responder: (port: number) => [responder({ ...place, port })],
  dnsmasq: (port: number) => [dnsmasq({ ...place, port, command: dnsmasqPath() }), processes()],
}
const [domain = ''] = domains
const at = (of: string) => `_acme-challenge.${of}`
const open = async (provider: keyof typeof providers) => {
  const others = await beside()
  const world = await startOrders(domains, (port) => [...providers[provider](port), ...others.plugins])
  onTestFinished(world.close, 60_000)
  onTestFinished((await others.load(world.gateway)).undisturbed)
  const told = (of = domain) => askTexts(world.server, at(of), { over: 'tcp' }).catch(() => ['no answer'])
  const present = async (of = domain) => {
    const value = challengeValue()
    await world.dns.present(at(of), value, AbortSignal.timeout(60_000))
    return value
  }
  return { ...world, told, present }
}
const namesOf = ({ chain }: { chain: string }) => new X509Certificate(chain).subjectAltName?.split(', ').sort()
const both = (of: string) => [`DNS:*.${of}`, `DNS:${of}`]

for (const provider of ['responder', 'dnsmasq'] as const) {
  fault(18, `${provider}: ten orders of a domain and its wildcard at once are all valid`, async () => {
    const { obtain, told, present } = await open(provider)
    const foreign = await present()
    const got = await Promise.all(Array.from({ length: 10 }, (_, n) => obtain(domain, `tenant-${n}`)))
    expect(got.map(namesOf)).toEqual(got.map(() => both(domain)))
    // While dnsmasq takes away what is no longer wanted it may not answer.
    await expect.poll(told, { timeout: 60_000 }).toContain(foreign)
    await expect.poll(told, { timeout: 60_000 }).toEqual([foreign])
  })

  fault(18, `${provider}: two values are in one answer, and the cleanup of one leaves the other to be validated`, async () => {
    const { dns, told, present } = await open(provider)
    const [apex, wildcard] = await Promise.all([present(), present()])
    await expect.poll(async () => (await told()).toSorted(), { timeout: 60_000 }).toEqual([apex, wildcard].toSorted())
    await dns.cleanup(at(domain), apex)
    await expect.poll(told, { timeout: 60_000 }).toEqual([wildcard])
  })
}

fault(
  18,
  'two hundred orders at once are all valid though dnsmasq is killed among them, and what others put up stays',
  async () => {
    const { obtain, told, present, root } = await open('dnsmasq')
    const foreign = await Promise.all(domains.map((of) => present(of)))
    const all = Promise.all(Array.from({ length: 200 }, (_, n) => obtain(domains[n % domains.length]!, `tenant-${n}`)))
    all.catch(() => undefined)
    await expect.poll(async () => (await told()).length, { timeout: 120_000, interval: 20 }).toBeGreaterThan(4)
    let killed: number | undefined
    await expect.poll(() => (killed = keptChildren(root).get('dnsmasq')), { timeout: 10_000, interval: 5 }).toBeDefined()
    process.kill(killed!, 'SIGKILL')
    expect((await all).map(namesOf)).toEqual(Array.from({ length: 200 }, (_, n) => both(domains[n % domains.length]!)))
    for (const [n, of] of domains.entries()) await expect.poll(() => told(of), { timeout: 60_000 }).toEqual([foreign[n]])
  },
)
