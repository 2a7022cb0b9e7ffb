import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shown } from '../../lib/shown.ts'

describe('shown', () => {
  it('leaves what prints', () => expect(shown('b\u00fccher `x` 値 😀')).toBe('b\u00fccher `x` 値 😀'))
  it('escapes controls, line ends, direction marks and half characters', () =>
    expect(shown('a\r\n\u001b[31m\u0000\u2028\u202e\u200b\ud800')).toBe(
      'a\\u{d}\\u{a}\\u{1b}[31m\\u{0}\\u{2028}\\u{202e}\\u{200b}\\u{d800}',
    ))
  it('cuts what is long and says how long it was', () =>
    expect(shown('x'.repeat(4_096))).toBe(`${'x'.repeat(200)}... (4096 characters)`))
  it('fault 36: never lets a line end or an escape sequence through', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0x10ffff }), { maxLength: 300 }), (points) => {
        const text = String.fromCodePoint(...points)
        expect(shown(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/)
      }),
      { numRuns: 500 },
    )
  })
})
