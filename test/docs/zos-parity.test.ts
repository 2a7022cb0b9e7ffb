import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const { rows }: { rows: readonly { row: string; file: string; words: string }[] } = JSON.parse(
  read('test/fixtures/zos-parity.json'),
)
/** What a row says of this gateway where it does not do what the Go module does. */
const missing = 'missing'

/** Whether a test of this file has these words in its title: where it begins, on a line of its own behind that, or as a key of the kit's cases. */
const hasTest = (file: string, words: string): boolean =>
  read(file)
    .split('\n')
    .some((line) => line.includes(words) && /^\s*(\]\)|\)|(it|test|fault|faultOn)\b|['"`].*['"`](,|: async.*)$)/.test(line))

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
    expect([first, shown.length > 0]).toEqual([first, !verdict.startsWith(missing)])
    for (const { file, words } of shown) expect([file, words, hasTest(file, words)]).toEqual([file, words, true])
  }
})

test('no test is named for a row that is not there', () => {
  const firsts = [...table('Rules'), ...table('Side effects')].map(([first = '']) => first)
  for (const { row } of rows) expect([row, firsts.filter((first) => first.startsWith(row)).length]).toEqual([row, 1])
})
