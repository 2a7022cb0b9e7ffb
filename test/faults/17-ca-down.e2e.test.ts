import { setTimeout as after } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import { faultOn } from './fault.ts'
import { issuing } from './issuing.ts'
import { simulateClock } from './simulated-clock.ts'
import { hangs, wrongs } from './wrong-ca.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const backOff = [minute, 10 * minute, 100 * minute]

faultOn(
  17,
  'a CA fails in every way for thirty days: what it gave is served on, the state says when the next try is, tries are few, and none comes before the CA wants it',
  issuing,
  async (open, engine) => {
    const clock = simulateClock()
    onTestFinished(clock.end)
    const at = await open({ pebble: { validity: (60 * day) / 1_000 } })
    const [served, fresh] = ['served.example', 'fresh.example']
    for (const host of [served, fresh]) at.ca.dns.set(host, { A: ['127.0.0.1'] })
    const old = await at.oldRoute()
    expect(await at.set(1, served, { wait: 'live' })).toBeUndefined()
    const before = await at.shown(served)

    const stateOf = (host: string) => at.state(host)
    const due = (host: string) => stateOf(host)?.next?.getTime() ?? 0
    /** Lets the simulated time go by until that is so, an hour at most between two requests on the old route. */
    const pass = async (isSo: () => boolean) => {
      while (!isSo()) {
        const soonest = Math.min(...at.gateway.certificates.list().map(({ next }) => next?.getTime() ?? 0)) - Date.now()
        // Where one is due the CA is being asked, which takes real time.
        if (soonest > 0) clock.forward(Math.min(soonest, hour) + 5_000)
        const { served: asked } = old
        for (let waits = 0; waits < 500 && old.served === asked; waits++) await after(2)
      }
    }
    const [start, chain] = [Date.now() + 2 * day, stateOf(served)?.certificate?.chain ?? '']
    const window = { start: new Date(start).toISOString(), end: new Date(start + hour).toISOString() }
    await at.ca.pebble.setRenewal(chain, { suggestedWindow: window })
    await pass(() => due(served) <= start + hour)

    const tries = new Map<string, { readonly at: number; readonly next: number; readonly code: string | undefined }[]>()
    const triesOf = (host: string) => tries.get(host) ?? []
    void (async () => {
      for await (const event of at.gateway.events()) {
        if (event.type !== 'certificate' || event.state !== 'failed') continue
        const [host = ''] = event.names
        tries.set(host, [...triesOf(host), { at: event.at.getTime(), next: due(host), code: stateOf(host)?.code }])
      }
    })()

    // One that hangs is waited for in real time, so it does once, while nothing else is due.
    const of = (n: number) => (n === 1 && engine === 'embedded' ? hangs : (wrongs[n % wrongs.length] ?? hangs))
    const begin = Date.now()
    for (let n = 0; Date.now() < begin + 30 * day; n++) {
      const { how = 'well', fault = () => undefined, code, least = 0 } = of(n)
      at.ca.faults.fault = fault
      await at.ca.faults.meet(how)
      if (n === 0) expect(await at.set(2, fresh, { wait: 'live' })).toBe('CERT_PENDING')
      await pass(() => triesOf(fresh).length > n)
      const [tried, last] = [triesOf(fresh)[n], triesOf(fresh)[n - 1]]
      expect(tried?.code, `try ${n}`).toBe(code)
      const wait = (tried?.next ?? 0) - (tried?.at ?? 0)
      const usual = backOff[n] ?? day
      // The CA's own time counts from its answer, which is a moment before the failure.
      expect(wait, `after try ${n}`).toBeGreaterThanOrEqual(Math.max(usual - 1_000, least - minute))
      expect(wait, `after try ${n}`).toBeLessThanOrEqual(Math.max(usual * 1.1, least) + 1_000)
      expect(tried?.at).toBeGreaterThanOrEqual(last?.next ?? 0)
      expect(stateOf(fresh)).toMatchObject({ state: 'failed', error: expect.any(String), fix: expect.any(String) })
      expect((await at.shown(served)).fingerprint256).toBe(before.fingerprint256)
    }
    expect(triesOf(served).length).toBeGreaterThan(10)
    expect(stateOf(served)).toMatchObject({ state: 'ready', error: expect.any(String), fix: expect.any(String) })
    for (const host of [served, fresh]) expect(triesOf(host).length).toBeLessThanOrEqual(33)

    at.ca.faults.fault = () => undefined
    await at.ca.faults.meet('well')
    await pass(() => stateOf(fresh)?.state === 'ready' && stateOf(served)?.certificate?.chain !== chain)
    const shows = (host: string) => at.shown(host).then((shown) => shown.checkHost(host) && shown.fingerprint256, String)
    await expect.poll(() => shows(fresh), patience).toMatch(/^([0-9A-F]{2}:?)+$/)
    await expect.poll(() => shows(served), patience).not.toBe(before.fingerprint256)
    await old.undisturbed()
  },
)
const patience = { timeout: 60_000 }
