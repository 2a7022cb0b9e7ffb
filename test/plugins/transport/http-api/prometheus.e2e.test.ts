import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { execa } from 'execa'
import { beforeAll, expect, test } from 'vitest'
import { tempRoot } from '../../../kit/index.ts'
import { oddName, scrape } from './scrape.ts'

interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [time: number, value: string]
}

const parser = join(tempRoot().path, 'expfmt')
beforeAll(async () => {
  await promisify(execFile)('go', ['build', '-o', parser, '.'], { cwd: join(import.meta.dirname, 'expfmt') })
})

test("39: Prometheus' own parser reads back what went in, whatever is in a name", async () => {
  const { text, bytes, stats } = await scrape()
  const samples: readonly Sample[] = JSON.parse((await execa(parser, { input: text })).stdout)
  /** The values of a series by one of its labels, where the other labels are these. */
  const values = (name: string, label: string, others: Readonly<Record<string, string>> = {}) =>
    new Map(
      samples
        .filter(({ metric }) => metric.__name__ === name && Object.entries(others).every(([key, value]) => metric[key] === value))
        .map(({ metric, value: [, value] }) => [metric[label], Number(value)]),
    )

  const expected = (way: 'request' | 'response') => new Map([...bytes].map(([id, counts]) => [id, counts[way]]))
  expect(values('gateway_workload_request_bytes_total', 'workload')).toEqual(expected('request'))
  expect(values('gateway_workload_response_bytes_total', 'workload')).toEqual(expected('response'))
  expect([...values('gateway_plugin_up', 'plugin').keys()]).toContain(`service/${oddName}`)

  expect(stats.length).toBeGreaterThan(1)
  for (const { do: operation, outcome, count, seconds, buckets } of stats) {
    const of = (suffix: string) => values(`gateway_operation_duration_seconds_${suffix}`, 'le', { operation, outcome })
    const cumulative = buckets.map(({ le, count: below }): [string, number] => [String(le), below])
    expect(of('bucket')).toEqual(new Map([...cumulative, ['+Inf', count]]))
    expect([...of('count').values(), ...of('sum').values()]).toEqual([count, seconds])
  }
  expect(samples.filter(({ metric }) => !/^(gateway|process|nodejs)_/.test(metric.__name__ ?? ''))).toEqual([])
})
