import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Draft } from '../../core/index.ts'
import { backendAddress, parseBackend } from '../../lib/backend.ts'
import { readSamples } from '../../lib/prometheus-text.ts'
import { readScrape, workloadOf } from '../../plugins/engine/traefik/metrics/scrape.ts'
import { type BackendsOptions, backends } from '../../plugins/index.ts'
import { claimOf } from '../../plugins/policy/name-contract/chain.ts'
import { zos } from '../../presets/index.ts'
import { setUpAlone } from '../kit/index.ts'

interface Cases {
  readonly valid: readonly { backend: string; passthrough: boolean; reference: boolean }[]
  readonly lists: readonly {
    case: string
    backends: readonly string[]
    passthrough: boolean
    wrong: readonly string[]
    ours?: Readonly<Record<string, string>>
  }[]
  readonly addresses: readonly { backend: string; address: string | null }[]
  readonly metrics: readonly {
    case: string
    text: string
    request: Readonly<Record<string, number>>
    response: Readonly<Record<string, number>>
  }[]
  readonly samples: {
    text: string
    of: readonly { name: string; count: number; first: { value: number; labels: Readonly<Record<string, string>> } }[]
  }
}
const cases: Cases = JSON.parse(readFileSync(new URL('../fixtures/go-module-cases.json', import.meta.url), 'utf8'))

describe("the cases of the Go module's own unit tests", () => {
  it.each(cases.valid)(
    'take the backend $backend, passed through $passthrough: $reference',
    ({ backend, passthrough, reference }) => expect(typeof parseBackend(backend, passthrough) !== 'string').toBe(reference),
  )

  it.each(cases.lists)('refuse of a list the same backends, but for what is decided: $case', async (given) => {
    const refused = await Promise.all(given.backends.map((backend) => isRefused(backend, given.passthrough)))
    const expected = given.backends.map((backend) => {
      const ours = given.ours?.[backend]
      return ours === undefined ? given.wrong.includes(backend) : ours === 'refused'
    })
    expect(refused).toEqual(expected)
  })

  it.each(cases.addresses)('dial $backend as $address, an IPv6 address in one spelling', ({ backend, address }) => {
    const parsed = parseBackend(backend, !backend.startsWith('http'))
    expect(typeof parsed === 'string' ? null : backendAddress(parsed)).toBe(address?.toLowerCase() ?? null)
  })

  it.each(cases.metrics)('read of the counters of Traefik: $case', ({ text, request, response }) => {
    const { services } = readScrape(`process_start_time_seconds 1\n${text}`)
    const bytes = (kind: 'request' | 'response') =>
      Object.fromEntries(
        [...services].flatMap(([name, count]) => (count[kind].bytes > 0 ? [[workloadOf(name), count[kind].bytes]] : [])),
      )
    expect([bytes('request'), bytes('response')]).toEqual([request, response])
  })

  it.each(cases.samples.of)('read samples of $name', ({ name, count, first }) => {
    const seen: { value: number; labels: Record<string, string> }[] = []
    readSamples(
      cases.samples.text,
      (_, labels, value) => void seen.push({ value, labels: Object.fromEntries(labels) }),
      new Set([name]),
    )
    expect([seen.length, seen[0]]).toEqual([count, first])
  })
})

it('a name is what was set as one, under the domain of then, whatever its host ends in', () => {
  const own = { id: '26-1-own', host: 'evilgent01.grid.tf' }
  expect(claimOf(own)).toBeUndefined()
  expect(claimOf({ ...own, host: 'shop.gent01.grid.tf', zone: 'gent01.grid.tf' })).toEqual({ name: 'shop', twin: '26' })
})

/** By the parser or by the policy, as the zos preset has it. */
const isRefused = async (backend: string, passthrough: boolean): Promise<boolean> => {
  if (typeof parseBackend(backend, passthrough) === 'string') return true
  const preset = zos().find(({ name }) => name === 'policy/backends')
  const node = { publicConfig: () => ({ ipv4: '198.51.100.7' }) }
  const { hooks } = await setUpAlone(backends(preset?.options as BackendsOptions), '/nowhere', { node })
  const draft = { id: '1-2-a', tenant: '1', host: 'a.example.org', backends: [backend], passthrough }
  return (await hooks.check(draft as unknown as Draft, new AbortController().signal)).length > 0
}
