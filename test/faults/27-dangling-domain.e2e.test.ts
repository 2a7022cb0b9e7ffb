import { expect } from 'vitest'
import { faultOn } from './fault.ts'
import { issuing } from './issuing.ts'

const host = 'dangling.example'

faultOn(
  27,
  'a domain that points here after its workload is gone, claimed by another tenant: told, and never served by the earlier key',
  issuing,
  async (open) => {
    const at = await open()
    at.ca.dns.set(host, { A: ['127.0.0.1'] })
    const old = await at.oldRoute()
    expect(await at.set(1, host, { wait: 'live' })).toBeUndefined()
    const first = await at.shown(host)
    const events: string[] = []
    void (async () => {
      for await (const event of at.gateway.events())
        if (event.type === 'certificate') events.push(`${event.state} ${event.names} ${event.reason ?? ''}`)
    })()
    await at.delete(1, host)

    // Nothing of the second tenant's is served before its own certificate is there.
    at.ca.faults.fault = ({ path }) => (path === '/order-plz' ? { status: 503 } : undefined)
    expect(await at.set(2, host)).toBeUndefined()
    await expect.poll(() => at.state(host)?.state, { timeout: 60_000 }).toBe('failed')
    for (let n = 0; n < 20; n++)
      expect((await at.shown(host).catch(() => undefined))?.fingerprint256).not.toBe(first.fingerprint256)
    at.ca.faults.fault = () => undefined
    await at.gateway.certificates.renew(at.state(host)?.id ?? '')
    await expect.poll(() => at.shown(host).then((shown) => shown.checkHost(host), String), { timeout: 60_000 }).toBe(host)
    const second = await at.shown(host)
    expect(second.publicKey.equals(first.publicKey)).toBe(false)
    expect(events.join('\n')).toContain(`dropped ${host} another tenant has the name now`)
    await old.undisturbed()
  },
)
