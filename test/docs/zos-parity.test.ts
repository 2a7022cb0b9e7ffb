import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const { rows }: { rows: readonly { row: string; file: string; words: string }[] } = JSON.parse(
  read('test/fixtures/zos-parity.json'),
)
/** What a row says of this gateway where it does not do what the Go module does. */
const missing = 'missing'

/** The rows of a table, by its heading. */
const table = (heading: string) => {
  const [, behind = ''] = read('docs/zos-parity.md').split(`\n## ${heading}\n`)
  const lines = (behind.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| '))
  return lines.slice(2).map((line) => line.slice(2).split(' | '))
}

test.for(['Rules', 'Side effects'])('every row of %s is shown by a test, or says that it is missing', (heading) => {
  const all = table(heading)
  expect(all.length).toBeGreaterThan(9)
  for (const [first = '', , verdict = ''] of all) {
    const shown = rows.filter(({ row }) => first.startsWith(row))
    expect([first, shown.length]).toEqual([first, verdict.startsWith(missing) ? 0 : 1])
    for (const { file, words } of shown) expect([file, read(file).includes(words)]).toEqual([file, true])
  }
})

test('no test is named for a row that is not there', () => {
  const firsts = [...table('Rules'), ...table('Side effects')].map(([first = '']) => first)
  for (const { row } of rows) expect([row, firsts.filter((first) => first.startsWith(row)).length]).toEqual([row, 1])
})
