import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseStrictJson } from '../../lib/strict-json.ts'

describe('parseStrictJson', () => {
  test('takes so many members and elements in all, wherever they stand', () => {
    const nested = (count: number) =>
      `{"a":[${Array(count - 2)
        .fill('1')
        .join()}],"b":1}`
    expect(() => parseStrictJson(nested(10), 16, 10)).not.toThrow()
    expect(() => parseStrictJson(nested(11), 16, 10)).toThrow('more than 10 members and elements')
  })

  test('reads what JSON.parse reads, where no key stands twice', () => {
    const json = fc.jsonValue({ maxDepth: 8, noUnicodeString: false })
    fc.assert(
      fc.property(json, fc.nat(3), (value, space) => {
        const text = JSON.stringify(value, null, space)
        fc.pre(!text.includes('__proto__'))
        expect(parseStrictJson(text)).toEqual(JSON.parse(text))
      }),
      { numRuns: 500 },
    )
  })

  const bad: readonly (readonly [text: string, why: string])[] = [
    ['{"a":1,"a":2}', 'twice'],
    ['{"a":1,"\\u0061":2}', 'twice'],
    ['{"x":{"a":"{","b":[],"a":2}}', 'twice'],
    ['{"__proto__":{"admin":true}}', '__proto__'],
    ['{"a":{"\\u005f_proto__":1}}', '__proto__'],
    [`${'['.repeat(17)}${']'.repeat(17)}`, '16 levels'],
    [`${'['.repeat(400_000)}${']'.repeat(400_000)}`, '16 levels'],
    ['', 'JSON'],
    ['{"a":1}}', 'JSON'],
    ["{'a':1}", 'JSON'],
    ['{"a', 'JSON'],
    ['{"a\\', 'JSON'],
    ['[[[{"a":1', 'JSON'],
    ['{"\\x":1}', 'JSON'],
  ]
  test.each(bad.map(([text, why]) => [JSON.stringify(text.slice(0, 40)), why, text] as const))('refuses %s', (_, why, text) => {
    expect(() => parseStrictJson(text)).toThrow(SyntaxError)
    expect(() => parseStrictJson(text)).toThrow(why)
  })

  test('one key in two objects, and a key that is also a value, are fine', () => {
    const text = '{"a":{"a":"a","b":["a","a","{\\"a\\":1}"]},"b":[{"a":1},{"a":2}],"c":"a"}'
    expect(parseStrictJson(text)).toEqual(JSON.parse(text))
  })
})
