import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { execa } from 'execa'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { readFamilies } from '../../lib/prometheus-protobuf.ts'
import { readSamples } from '../../lib/prometheus-text.ts'
import { tempRoot } from '../kit/index.ts'
import { arbitraryExposition } from './prometheus-text.ts'

interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [time: number, value: string]
}
const written = (metric: Readonly<Record<string, string>>, value: number) =>
  JSON.stringify([Object.entries(metric).toSorted(([a], [b]) => (a < b ? -1 : 1)), String(value)])

const program = join(tempRoot().path, 'expfmt')
const source = join(import.meta.dirname, '../plugins/transport/http-api/expfmt')
beforeAll(() => promisify(execFile)('go', ['build', '-o', program, '.'], { cwd: source }))

test("39: reads what Prometheus' own parser reads", async () => {
  for (const { text } of fc.sample(arbitraryExposition, 60)) {
    const theirs: readonly Sample[] = JSON.parse((await execa(program, { input: text })).stdout) ?? []
    const ours: string[] = []
    readSamples(text, (name, labels, value) => ours.push(written({ ...Object.fromEntries(labels), __name__: name }, value)))
    const number = (word: string) => Number(word.replace('Inf', 'Infinity'))
    expect(ours.toSorted(), text).toEqual(theirs.map(({ metric, value: [, value] }) => written(metric, number(value))).toSorted())
  }
})

test("39: reads from the protobuf of Prometheus' own encoder what is in the text, and when each counter began", async () => {
  for (const { text } of fc.sample(arbitraryExposition, 60)) {
    const wanted: string[] = []
    const places = new Map<string, number>()
    readSamples(text, (name, labels, value) => {
      const place = places.get(name) ?? 0
      places.set(name, place + 1)
      wanted.push(`${written({ ...Object.fromEntries(labels), __name__: name }, value)} ${1_700_000_000.5 + place}`)
    })
    const { stdout } = await execa(program, ['protobuf'], { input: text, encoding: 'buffer', stripFinalNewline: false })
    const ours: string[] = []
    readFamilies(
      stdout,
      (name, labels, value, since) => ours.push(`${written({ ...Object.fromEntries(labels), __name__: name }, value)} ${since}`),
      new Set(places.keys()),
    )
    expect(ours.toSorted(), text).toEqual(wanted.toSorted())
  }
})
