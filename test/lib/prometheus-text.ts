import fc from 'fast-check'

export interface Sample {
  readonly name: string
  readonly labels: readonly (readonly [name: string, value: string])[]
  readonly value: number
}

const letters = fc.constantFrom(...'abcXYZ_')
const name = fc.tuple(letters, fc.string({ unit: fc.constantFrom(...'abcXYZ_019:') })).map(([first, rest]) => first + rest)
const label = fc.tuple(letters, fc.string({ unit: fc.constantFrom(...'abcXYZ_019') })).map(([first, rest]) => `l${first}${rest}`)
const value = fc.oneof(
  fc.double().map((number) => number || 0),
  fc.nat(),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
)
/** Anything that a label may hold, odd signs most of all. */
const held = fc.string({
  unit: fc.oneof(fc.constantFrom(...'"\\\n{}=, #\t', '\r', '\u2028', 'é', '\\n'), fc.string({ unit: 'binary' })),
})
const written = (number: number) =>
  number === Number.POSITIVE_INFINITY ? '+Inf' : number === Number.NEGATIVE_INFINITY ? '-Inf' : String(number)
const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const sample = fc.record({
  name,
  labels: fc.uniqueArray(fc.tuple(label, held), { selector: ([key]) => key, maxLength: 4 }),
  value,
  time: fc.option(fc.integer()),
  blank: fc.constantFrom(' ', '\t', '  '),
  note: fc.option(fc.constantFrom('# a note', '', '#')),
})

/** An exposition, and the samples that are in it. */
export const arbitraryExposition = fc.array(sample, { maxLength: 8 }).map((all) => ({
  samples: all.map(({ name, labels, value }): Sample => ({ name, labels, value })),
  text: all
    .map(({ name, labels, value, time, blank, note }) => {
      const inside = labels.map(([key, text]) => `${key}="${escaped(text)}"`).join(',')
      const before = note === null ? '' : `${note}\n`
      return `${before}${name}${inside && `{${inside}}`}${blank}${written(value)}${time === null ? '' : `${blank}${time}`}\n`
    })
    .join(''),
}))
