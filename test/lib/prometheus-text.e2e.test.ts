import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { execa } from 'execa'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readSamples } from '../../lib/prometheus-text.ts'
import { tempRoot } from '../kit/index.ts'
import { arbitraryExposition } from './prometheus-text.ts'

interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [time: number, value: string]
}
const written = (metric: Readonly<Record<string, string>>, value: number) =>
  JSON.stringify([Object.entries(metric).toSorted(([a], [b]) => (a < b ? -1 : 1)), String(value)])

test("39: reads what Prometheus' own parser reads", async () => {
  const program = join(tempRoot().path, 'expfmt')
  const source = join(import.meta.dirname, '../plugins/transport/http-api/expfmt')
  await promisify(execFile)('go', ['build', '-o', program, '.'], { cwd: source })
  for (const { text } of fc.sample(arbitraryExposition, 60)) {
    const theirs: readonly Sample[] = JSON.parse((await execa(program, { input: text })).stdout) ?? []
    const ours: string[] = []
    readSamples(text, (name, labels, value) => ours.push(written({ ...Object.fromEntries(labels), __name__: name }, value)))
    const number = (word: string) => Number(word.replace('Inf', 'Infinity'))
    expect(ours.toSorted(), text).toEqual(theirs.map(({ metric, value: [, value] }) => written(metric, number(value))).toSorted())
  }
})
