import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalHost, canonicalLabel, covers, isUnder } from '../../lib/host.ts'

const good: readonly (readonly [string, string])[] = [
  ['example.org', 'example.org'],
  ['EXAMPLE.Org.', 'example.org'],
  ['a.b.c.d.e.f.example.org', 'a.b.c.d.e.f.example.org'],
  ['_dmarc.example.org', '_dmarc.example.org'],
  ['-edge-.example.org', '-edge-.example.org'],
  ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ['1.2.3.com', '1.2.3.com'],
  ['12.0x7f.org', '12.0x7f.org'],
  ['x._acme-challenge.example.org', 'x._acme-challenge.example.org'],
  [`${'a'.repeat(63)}.org`, `${'a'.repeat(63)}.org`],
  [`${'a.'.repeat(125)}org`, `${'a.'.repeat(125)}org`],
]
const bad: readonly string[] = [
  '',
  '.',
  'localhost',
  'example.o',
  'example.org..',
  '.example.org',
  'a..b.org',
  'exa mple.org',
  'example.org ',
  ' example.org',
  'example.org\n',
  'example.org\u0000',
  'example\u2028.org',
  'b\u00fccher.example',
  'e\u212Aample.org',
  'example\uff0eorg',
  '\uff11\uff12\uff17.0.0.1',
  '127.0.0.1',
  '127.000.000.001',
  '1.2.3.0x1f',
  '1.0x',
  'example.123',
  '[::1]',
  '::1',
  '*.example.org',
  'example.org:443',
  'user@example.org',
  'example.org/x',
  'example.org`)',
  'example.org`) || Host(`x.org',
  '{{ env "PATH" }}.org',
  '%2e.org',
  '_acme-challenge.example.org',
  '_ACME-Challenge.example.org.',
  `${'a'.repeat(64)}.org`,
  `${'a.'.repeat(126)}org`,
]

describe('canonicalHost', () => {
  it.each(good)('takes %s', (text, canonical) => expect(canonicalHost(text)).toBe(canonical))
  it.each(bad.map((text) => [JSON.stringify(text), text]))('refuses %s', (_, text) => expect(canonicalHost(text)).toBeUndefined())

  const label = fc.stringMatching(/^[A-Za-z0-9_-]{1,63}$/)
  it('gives a form that it takes and keeps, and in which case and trailing dot are gone', () => {
    fc.assert(
      fc.property(
        fc.array(label, { minLength: 1, maxLength: 3 }),
        fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{1,20}$/),
        (labels, last) => {
          const host = [...labels, last].join('.')
          const canonical = canonicalHost(host)
          fc.pre(canonical !== undefined)
          expect(canonicalHost(`${host.toUpperCase()}.`)).toBe(canonical)
          expect(canonicalHost(canonical)).toBe(canonical)
          expect(canonical).toMatch(/^[a-z0-9_.-]+$/)
        },
      ),
      { numRuns: 3_000 },
    )
  })
  it('takes from arbitrary text only what the reference takes too, and nothing that a URL parser reads as an address', () => {
    const nearly = fc.string({ unit: fc.constantFrom(...'aZ09.-_x*`{}%:[]@/ \n\u0000\u2028\u212a\uff0e'), maxLength: 30 })
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string(), fc.ipV4(), fc.ipV4Extended(), fc.ipV6(), fc.domain()), (text) => {
        const canonical = canonicalHost(text)
        if (canonical === undefined) return
        expect(text).toMatch(/^([a-zA-Z0-9-_]+\.)+[a-zA-Z0-9-_]{2,}\.?$/)
        expect(new URL(`http://${canonical.replaceAll('xn--', 'xn-')}/`).hostname).toBe(canonical.replaceAll('xn--', 'xn-'))
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('canonicalLabel', () => {
  it.each([
    ['shop', 'shop'],
    ['SHOP', 'shop'],
    ['-_-', '-_-'],
    ['1', '1'],
    ['a'.repeat(63), 'a'.repeat(63)],
  ])('takes %s', (text, canonical) => expect(canonicalLabel(text)).toBe(canonical))
  it.each(['', '.', 'a.b', 'shop.', 'a b', 'shop\n', '\u212a', '*', '`', '_acme-challenge', '_Acme-Challenge', 'a'.repeat(64)])(
    'refuses %j',
    (text) => expect(canonicalLabel(text)).toBeUndefined(),
  )
})

describe('isUnder', () => {
  it.each([
    ['gent01.grid.tf', 'gent01.grid.tf', true],
    ['shop.gent01.grid.tf', 'gent01.grid.tf', true],
    ['a.b.gent01.grid.tf', 'gent01.grid.tf', true],
    ['evilgent01.grid.tf', 'gent01.grid.tf', false],
    ['grid.tf', 'gent01.grid.tf', false],
  ])('%s under %s: %s', (host, zone, expected) => expect(isUnder(host, zone)).toBe(expected))
})

describe('covers', () => {
  it.each([
    ['example.org', 'example.org', true],
    ['*.example.org', 'a.example.org', true],
    ['*.example.org', 'example.org', false],
    ['*.example.org', 'a.b.example.org', false],
    ['*.example.org', '.example.org', false],
    ['*.example.org', 'aexample.org', false],
    ['*.example.org', '*.example.org', true],
    ['a.example.org', '*.example.org', false],
  ])('%s covers %s: %s', (pattern, host, expected) => expect(covers(pattern, host)).toBe(expected))
})
