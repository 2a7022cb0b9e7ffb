import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError, isErrorCode, parseOperation } from '../../core/index.ts'
import { near, patience, property, runs } from './runs.ts'

// Each field beside a second reading of its rule in docs/policies.md, character by character and without a regular expression.
const within = (text: string, characters: string) => [...text].every((char) => characters.includes(char))
const [digits, lower] = ['0123456789', 'abcdefghijklmnopqrstuvwxyz']
const letters = lower + lower.toUpperCase()
const word = `${letters + digits}-_`

const base = { do: 'set-fqdn', id: '40-1976-shop', fqdn: 'example.org', backends: ['http://192.0.2.7:9000'] }
const taken = (input: object): ReturnType<typeof parseOperation> | undefined => {
  try {
    return parseOperation(input)
  } catch (error) {
    if (error instanceof GatewayError && error.problems.every(({ code, message, fix }) => isErrorCode(code) && message && fix))
      return undefined
    throw error
  }
}
/** What the field is read as, and what its rule says. */
const agree = (field: string, value: unknown, rule: string | undefined, rest: object = {}) => {
  const { [field]: read } = (taken({ ...base, ...rest, [field]: value }) ?? {}) as Record<string, unknown>
  expect([value, read]).toEqual([value, rule])
}

const members = Object.getOwnPropertyNames(Object.prototype)
const isId = (text: string) => text.length >= 1 && text.length <= 128 && within(text, word) && !members.includes(text)
const isLabel = (text: string) => text.length >= 1 && text.length <= 63 && within(text, word)
const lowered = (text: string) =>
  [...text].map((char) => (letters.indexOf(char) >= 26 ? lower[letters.indexOf(char) - 26] : char)).join('')
const hostRule = (text: string): string | undefined => {
  const labels = (text.at(-1) === '.' ? text.slice(0, -1) : text).split('.')
  const last = lowered(labels.at(-1) ?? '')
  const isNumber = within(last, digits) || (last.startsWith('0x') && within(last.slice(2), `${digits}abcdef`))
  const good = labels.length > 1 && labels.every(isLabel) && last.length > 1 && labels.join('.').length <= 253
  return good && !isNumber && lowered(labels[0] ?? '') !== '_acme-challenge' ? lowered(labels.join('.')) : undefined
}
const nameRule = (text: string): string | undefined =>
  isLabel(text) && lowered(text) !== '_acme-challenge' ? lowered(text) : undefined

const label = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: fc.constantFrom(...word), minLength: 1, maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(...word), minLength: 60, maxLength: 66 }) },
  fc.constantFrom(
    '',
    '_acme-challenge',
    '_ACME-Challenge',
    '0x',
    '0x7f',
    '1',
    '127',
    'xn--bcher-kva',
    '*',
    '-',
    '_',
    'Kelvin\u212a',
    'a\u3002b',
  ),
)
const hosts = fc.oneof(
  { weight: 6, arbitrary: fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.')) },
  { weight: 2, arbitrary: fc.array(label, { minLength: 2, maxLength: 8 }).map((labels) => `${labels.join('.')}.`) },
  fc
    .array(fc.string({ unit: fc.constantFrom(...word), minLength: 50, maxLength: 63 }), { minLength: 3, maxLength: 6 })
    .map((all) => all.join('.')),
  near('aZ09.-_x*`{}%:[]@/ ', 40),
)

describe(`${runs} cases of each field of an operation`, () => {
  it(
    'an id is what its rule says',
    () => {
      const ids = fc.oneof(
        near(word, 20),
        fc.string({ unit: fc.constantFrom(...word), minLength: 120, maxLength: 136 }),
        fc.string(),
      )
      property(ids, (id) => agree('id', id, isId(id) ? id : undefined))
    },
    patience,
  )

  it('a domain is what its rule says', () => property(hosts, (fqdn) => agree('fqdn', fqdn, hostRule(fqdn))), patience)

  it(
    'a name is what its rule says',
    () => {
      property(fc.oneof(label, near(word, 20), hosts), (name) => agree('name', name, nameRule(name), { do: 'set-name' }))
    },
    patience,
  )

  it(
    'a network is what its rule says',
    () => {
      const networks = fc.oneof(
        near(`${letters + digits}_`, 20),
        fc.string({ unit: fc.constantFrom(...letters), minLength: 45, maxLength: 55 }),
      )
      const rule = (text: string) => text.length >= 1 && text.length <= 50 && within(text, `${letters + digits}_`)
      property(networks, (network) => agree('network', network, rule(network) ? network : undefined))
    },
    patience,
  )

  it(
    'passthrough is a boolean or absent',
    () => {
      const values = fc.oneof(
        fc.boolean(),
        fc.constantFrom(null, undefined, 0, 1, 'true', 'false', '', Number.NaN),
        fc.jsonValue(),
      )
      property(values, (passthrough) => {
        const backends = passthrough === true ? ['192.0.2.7:443'] : base.backends
        const read = taken({ ...base, backends, passthrough })
        const good = typeof passthrough === 'boolean' || passthrough === null || passthrough === undefined
        expect([passthrough, read && 'passthrough' in read && read.passthrough]).toEqual([
          passthrough,
          good ? passthrough === true : undefined,
        ])
      })
    },
    patience,
  )

  it(
    'a list of backends is one to 64 of them, each once',
    () => {
      const backend = fc.oneof(
        {
          weight: 9,
          arbitrary: fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 })).map(([ip, port]) => `http://${ip}:${port}`),
        },
        { weight: 1, arbitrary: fc.constantFrom(null, 7, '', 'http://192.0.2.7/x', 'http://example.org', {}, []) },
      )
      const lists = fc.oneof(
        fc.array(backend, { maxLength: 8 }),
        fc.array(backend, { minLength: 60, maxLength: 70 }),
        fc.jsonValue(),
      )
      property(lists, (backends) => {
        const read = taken({ ...base, backends })
        const all: readonly unknown[] = Array.isArray(backends) ? backends : []
        const good =
          all.length >= 1 &&
          all.length <= 64 &&
          all.every((each) => typeof each === 'string' && /^http:\/\/[0-9.]+:\d+$/.test(each))
        expect([backends, read && 'backends' in read ? read.backends : undefined]).toEqual([
          backends,
          good ? [...new Set(all)] : undefined,
        ])
      })
    },
    patience,
  )

  it(
    'whatever is sent is refused by code or read to what reads the same again',
    () => {
      const some = fc.record(
        {
          do: fc.oneof(fc.constantFrom('set-fqdn', 'set-name', 'delete', 'metrics'), fc.jsonValue()),
          id: fc.oneof(fc.constantFrom('1-2-a', 'a'), fc.jsonValue()),
          fqdn: fc.oneof(hosts, fc.jsonValue()),
          name: fc.oneof(label, fc.jsonValue()),
          backends: fc.oneof(fc.constant(['http://192.0.2.7']), fc.jsonValue()),
          network: fc.jsonValue(),
          ['__proto__']: fc.jsonValue(),
        },
        { requiredKeys: [] },
      )
      property(fc.oneof(some, fc.jsonValue(), fc.anything()), (input) => {
        const read = taken(input as object)
        if (read) expect(parseOperation(read)).toEqual(read)
      })
    },
    patience,
  )
})
