import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Fold } from '../../../../plugins/engine/traefik/metrics/fold.ts'
import { readScrape } from '../../../../plugins/engine/traefik/metrics/scrape.ts'

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('count' as const), service: fc.nat(3), bytes: fc.nat(5_000) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('look' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('vanish' as const), service: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('clock' as const), by: fc.integer({ min: -100_000, max: 100_000 }) }) },
  ),
  { maxLength: 60 },
)
const names = ['1-1-a@file', '1-1-a@http', '1-1-b@file', '1-1-b.grpc@file']

test('39: counts what Traefik counted once, over restarts of it, services that go and come back, and clocks that are set', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const told = { a: 0, b: 0 }
      const fold = new Fold((id, { response }) => {
        told[id === '1-1-a' ? 'a' : 'b'] += response
      })
      const truth = { a: 0, b: 0 }
      let traefik = { started: 1_000, used: 1, counters: new Map<string, { bytes: number; since: number }>() }
      let clock = 0
      let time = 1_000
      // A look comes before whatever takes a counter away: what nobody saw cannot be told.
      const look = () => {
        traefik.used += 0.01
        const services = new Map([...traefik.counters].map(([name, response]) => [name, { request: { bytes: 0 }, response }]))
        fold.take({ ...traefik, services }, clock)
        clock = 0
      }
      for (const step of all) {
        if (step.do === 'count') {
          const name = names[step.service]!
          time++
          const { bytes, since } = traefik.counters.get(name) ?? { bytes: 0, since: time }
          traefik.counters.set(name, { bytes: bytes + step.bytes, since })
          truth[step.service < 2 ? 'a' : 'b'] += step.bytes
        } else if (step.do === 'clock') {
          clock += step.by
          traefik.started += step.by
        } else {
          look()
          if (step.do === 'restart') traefik = { started: traefik.started + 60, used: 0.5, counters: new Map() }
          // It may be back, and beyond its old figure, before anybody looks again.
          if (step.do === 'vanish') traefik.counters.delete(names[step.service]!)
        }
      }
      look()
      expect(told).toEqual(truth)
    }),
    { numRuns: 2_000 },
  )
})

test('39: adds the series of a service up, and takes nothing from a name that is no workload of ours', () => {
  const line = (way: string, service: string, method: string, value: string) =>
    `traefik_service_${way}_bytes_total{code="200",method="${method}",protocol="http",service="${service}"} ${value}\n`
  const text = [
    'process_start_time_seconds 1.76e+09\nprocess_cpu_seconds_total 3.5\n',
    line('requests', '1-1-a@file', 'GET', '12'),
    line('requests', '1-1-a@file', 'POST', '1.5e+06'),
    line('responses', '1-1-a@file', 'GET', '9.007199254740991e+15'),
    line('responses', 'api@internal', 'GET', '7'),
    line('responses', 'x\\"} 1-1-b@file', 'GET', '7'),
    line('responses', '1-1-c@file', 'GET', 'NaN'),
  ].join('')
  const told = new Map<string, object>()
  new Fold((id, more) => told.set(id, more)).take(readScrape(text))
  expect([...told]).toEqual([['1-1-a', { request: 1_500_012, response: 2 ** 53 - 1 }]])
})

test('39: counts nothing twice where Traefik does not say when a counter began', () => {
  let told = 0
  const fold = new Fold((_, { response }) => {
    told += response
  })
  for (const bytes of [100, 250, 40, 60])
    fold.take({ started: 1, used: 1, services: new Map([['1-1-a@file', { request: { bytes: 0 }, response: { bytes } }]]) })
  expect(told).toBe(310)
})

test('says that it is no Traefik where the process is not named', () => {
  expect(() => readScrape('up 1\n')).toThrow('process_start_time_seconds')
})
