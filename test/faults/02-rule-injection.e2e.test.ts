import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect } from 'vitest'
import { GatewayError, parseOperation } from '../../core/index.ts'
import { canonicalHost, canonicalLabel } from '../../lib/host.ts'
import { backend } from '../kit/engine/cases.ts'
import { engines } from './engines.ts'
import { fault, faultOn } from './fault.ts'
import { oldRoute } from './old-route.ts'

/** What ends a rule of Traefik, a template of Go, a line or a string; and what looks like a name and is none. */
const poison = [
  'a.test`) || Host(`victim.test',
  'a.test`) || HostRegexp(`.*',
  'a.test`',
  'a.test)',
  'a.test||victim.test',
  'a.test,victim.test',
  'a.test"',
  "a.test'",
  '{{ env "PATH" }}.test',
  'a{{`.test',
  '{{.test',
  'a.test}}',
  'a.test\n',
  'a.test\r\nservice: victim',
  'a\0.test',
  'a%2etest',
  '%{a}.test',
  'a\u2028.test',
  '\u202ea.test',
  'a.test#',
  'a.test: x',
  '*.test',
  '!a.test',
  '&a.test',
  '$a.test',
  'a.test\\',
  'victim\u3002test',
  'vıctim.test',
]
/** Every piece that the grammar of rules, YAML and templates knows, with anything between. */
const anything = fc
  .array(
    fc.oneof(
      fc.constantFrom('`', ')', '(', '||', '&&', '{{', '}}', '"', "'", '\n', '\r', '\0', '%', '\u2028', '\\', '$', '#', ':', '*'),
      fc.constantFrom('a', 'victim', '.', 'test', '-', '_', 'env', 'Host', 'A'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''))
const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'taken'
  } catch (error) {
    return error instanceof GatewayError ? error.code : String(error)
  }
}
const fqdn = (text: string) => parseOperation({ do: 'set-fqdn', id: '1-1-a', fqdn: text, backends: ['http://10.0.0.1'] })
const name = (text: string) => parseOperation({ do: 'set-name', id: '1-1-a', name: text, backends: ['http://10.0.0.1'] })

fault(2, 'a name that would be more than a name is refused before anything is asked', async () => {
  for (const text of poison) {
    expect([text, codeOf(() => fqdn(text))]).toEqual([text, 'INVALID_FQDN'])
    expect([text, codeOf(() => name(text))]).toEqual([text, 'INVALID_NAME'])
  }
})

fault(
  2,
  'it is refused whatever it is made of, and what is taken has letters, digits, hyphens, underscores and dots alone',
  async () => {
    fc.assert(
      fc.property(anything, (text) => {
        const code = codeOf(() => fqdn(text))
        expect(code).toBe(canonicalHost(text) === undefined ? 'INVALID_FQDN' : 'taken')
        expect(canonicalHost(text) ?? 'a.b').toMatch(/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/)
        expect(canonicalLabel(text) ?? 'a').toMatch(/^[a-z0-9_-]+$/)
      }),
      { numRuns: 20_000 },
    )
  },
)

faultOn(2, 'it is refused by the engine itself, had nobody else looked', engines, async (open, engine) => {
  const world = await open()
  await using _old = await oldRoute(world)
  const [victim, thief] = [await backend('victim'), await backend('thief')]
  await world.set('1-1-victim', 'victim.test', [victim.url])
  const client = await world.h1('victim.test')
  for (const [at, text] of poison.slice(0, 18).entries()) {
    const op = { do: 'set-fqdn', id: `2-${at + 1}-thief`, fqdn: text, backends: [thief.url], passthrough: false } as never
    const outcome = await world.gateway.dispatch(op).then(
      () => 'taken',
      () => 'refused',
    )
    if (engine === 'traefik') expect([text, outcome]).toEqual([text, 'refused'])
  }
  expect((await client.request('GET /', { Host: 'victim.test' })).text).toBe('victim')
  expect((await world.get('victim.test')).text).toBe('victim')
  expect(thief.requests).toEqual([])
  await world.set('3-1-after', 'after.test', [victim.url])
  expect((await world.get('after.test')).text).toBe('victim')
  if (engine !== 'traefik') return
  const folder = join(world.gateway.status().root, 'proxy')
  const files = readdirSync(folder)
  expect(files.filter((file) => file.includes('thief'))).toEqual([])
  for (const file of files) expect(readFileSync(join(folder, file), 'utf8')).not.toContain('{{')
})

faultOn(2, 'a name that looks strange and that DNS allows is served', engines, async (open) => {
  const world = await open()
  const web = await backend(({ headers }, response) => void response.end(headers.host))
  const hosts = [
    'a_b.wild.test',
    '-edge-.wild.test',
    '1.2.3.wild-test.test',
    'xn--bcher-kva.wild.test',
    `${'a'.repeat(63)}.wild.test`,
  ]
  for (const [at, host] of hosts.entries()) {
    await world.set(`1-${at + 1}-odd`, host, [web.url])
    const client = await world.h1(host, { ca: undefined } as never)
    expect((await client.request('GET /', { Host: host })).text).toBe(host)
  }
})
