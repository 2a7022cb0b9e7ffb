import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readSamples } from '../../lib/prometheus-text.ts'
import { arbitraryExposition, type Sample } from './prometheus-text.ts'

const read = (text: string, wanted?: readonly string[]): Sample[] => {
  const samples: Sample[] = []
  readSamples(text, (name, labels, value) => samples.push({ name, labels: [...labels], value }), wanted && new Set(wanted))
  return samples
}

test('reads back whatever stands in labels and values: quotes, backslashes, braces, newlines, NaN and infinities, times', () => {
  fc.assert(
    fc.property(arbitraryExposition, ({ text, samples }) => {
      expect(read(text)).toEqual(samples)
    }),
    { numRuns: 2_000 },
  )
})

test('reads only what is wanted, and finds the same there', () => {
  fc.assert(
    fc.property(arbitraryExposition, ({ text, samples }) => {
      const name = samples[0]?.name ?? 'none'
      expect(read(text, [name])).toEqual(samples.filter((sample) => sample.name === name))
    }),
  )
})

test.each([
  ['a 1\nb 2', ['a', 'b']],
  ['a{} 1', ['a']],
  ['a{b="c",} 1', ['a']],
  ['\ta\t{ b = "c" , d="e"\t}\t1\t-3  ', ['a']],
  ['{"dotted.name"} 1', ['dotted.name']],
  ['{"dotted.name","a label"="c"} +1e3', ['dotted.name']],
  ['# a comment\n#no 1\n\n  \na .5', ['a']],
  ['a inf\nb -Inf\nc +INFINITY\nd nan', ['a', 'b', 'c', 'd']],
])('takes %j', (text, names) => {
  expect(read(text).map(({ name }) => name)).toEqual(names)
})

test.each([
  'a',
  'a{b} 1',
  'a{b=c} 1',
  'a{b="c} 1',
  'a{b="c"',
  'a{b="c"d="e"} 1',
  'a{b="\\x"} 1',
  'a{b="c",b="c"} 1',
  'a{="c"} 1',
  'a{,} 1',
  'a 0x1p3',
  'a 1_000',
  'a one',
  'a 1 2 3',
  'a 1 2.5',
  '1a 1',
  '{} 1',
  '{b="c"} 1',
  'a{b="one\ntwo"} 1',
  '-a 1',
])('refuses %j with the number of its line', (line) => {
  expect(() => read(`good 1\n${line}`)).toThrow(/^line [23]: /)
})
