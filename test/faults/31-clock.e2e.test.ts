import { expect } from 'vitest'
import { backend } from '../kit/engine/cases.ts'
import { defer } from '../kit/engine/world.ts'
import { engines } from './engines.ts'
import { faultOn } from './fault.ts'
import { oldRoute } from './old-route.ts'
import { told } from './refused.ts'

const day = 86_400_000

/** The clock of this process, set by somebody; timers run on. */
const settableClock = () => {
  const Real = Date
  let offset = 0
  globalThis.Date = new Proxy(Real, {
    construct: (_, given: []) => (given.length === 0 ? new Real(Real.now() + offset) : new Real(...given)),
    get: (target, name) => (name === 'now' ? () => Real.now() + offset : Reflect.get(target, name)),
  })
  defer(() => {
    globalThis.Date = Real
  })
  return (milliseconds: number) => {
    offset = milliseconds
  }
}

faultOn(
  31,
  'a clock that is set a day back, then more than a year ahead, stops no timer and no operation, and is told',
  engines,
  async (open) => {
    const world = await open()
    const web = await backend('web')
    for (let n = 0; n < 15; n++) await world.set(`1-${n}-c`, `c${n}.test`, [web.url])
    await using _old = await oldRoute(world)
    const before = new Map(world.memory.certificates)
    const setTo = settableClock()
    for (const [at, days] of [-1, 400, 0].entries()) {
      const alarm = world.event((event) => event.type === 'alarm' && event.code === 'CLOCK_SKEW')
      setTo(days * day)
      const from = performance.now()
      await alarm
      // No timer waits for the clock to come back, and none fires for the days that were not.
      expect(await told(world, { do: 'set-fqdn', id: `2-${at}-n`, fqdn: `n${at}.test`, backends: [web.url] })).toBe('ok')
      const client = await world.h1(`n${at}.test`, { ca: undefined } as never)
      expect((await client.request('GET /', { Host: `n${at}.test` })).text).toBe('web')
      const renewed = [...world.memory.certificates].filter(([id, found]) => before.has(id) && before.get(id) !== found)
      for (const [id, found] of world.memory.certificates) before.set(id, found)
      const tens = Math.ceil((performance.now() - from) / 10_000)
      expect(renewed.length).toBeLessThanOrEqual(10 * tens)
    }
  },
)
