import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { cases, missing } from '../faults/cases.ts'
import { type Engine, engines } from '../faults/engines.ts'
import { type Told, toldBy } from '../faults/fault.ts'

const folder = new URL('../faults/', import.meta.url)
const files = readdirSync(folder).filter((name) => name.endsWith('.e2e.test.ts'))
const told: Told[] = []
for (const file of files.sort()) {
  const found = await toldBy(() => import(new URL(file, folder).href))
  test(`${file} has tests of its number, and of no other`, () => {
    expect(new Set(found.map(({ number }) => String(number).padStart(2, '0')))).toEqual(new Set([file.slice(0, 2)]))
  })
  told.push(...found)
}

test('every case of the forty has a test, but those that are said to have none yet', () => {
  const numbers = cases.map((_, at) => at + 1)
  expect(numbers.length).toBe(40)
  const tested = new Set(told.map(({ number }) => number))
  expect(numbers.filter((number) => !tested.has(number))).toEqual(missing)
  expect([...tested].filter((number) => !numbers.includes(number))).toEqual([])
})

// `npm run faults-page` runs every case on every engine and writes the page anew.
test('docs/faults.md says what was tried, and what came of it', async () => {
  await expect(page()).toMatchFileSnapshot('../../docs/faults.md')
})

const names = Object.keys(engines) as Engine[]

const page = () => `# Forty faults, attacks and bad inputs

Each is a test in \`test/faults\`, on every engine that it concerns, over real sockets and with real parts. Where traffic could be disturbed, another tenant's client asks all the time on one open connection and must see no error. This page is written by \`npm run faults-page\` from its run: what an engine is said not to do is tried all the same, and has to fail.

A blank says that the case does not concern the engine. The column "gateway" is for what happens before any engine takes part.

| | done | outcome | gateway | ${names.join(' | ')} |
| --- | --- | --- | --- | ${names.map(() => '---').join(' | ')} |
${cases.map(row).join('\n')}

${cases.map(section).join('\n')}`

const of = (at: number) => told.filter(({ number }) => number === at + 1)

const row = ([done, outcome]: readonly [string, string], at: number) =>
  `| [${at + 1}](#case-${at + 1}) | ${done} | ${outcome} | ${[undefined, ...names].map((engine) => result(at, engine)).join(' | ')} |`

const result = (at: number, engine: Engine | undefined) => {
  const tried = of(at).filter((one) => one.engine === engine)
  if (tried.length === 0) return missing.includes(at + 1) && engine === undefined ? 'not yet' : ''
  const failed = tried.filter(({ cannot }) => cannot !== undefined)
  return failed.length === 0 ? 'yes' : failed.length === tried.length ? 'no' : 'in part'
}

const section = (_: unknown, at: number) => {
  const sentences = [...new Set(of(at).map(({ sentence }) => sentence))]
  const lines = sentences.map((sentence) => {
    const on = of(at).filter((one) => one.sentence === sentence)
    const passed = on.flatMap(({ engine, cannot }) => (engine && !cannot ? [engine] : []))
    const reasons = on.flatMap(({ engine, cannot }) => (cannot ? [`  - not on ${engine}: ${cannot}`] : []))
    return [`- ${sentence}${passed.length > 0 ? ` (${passed.join(', ')})` : ''}`, ...reasons].join('\n')
  })
  return `## Case ${at + 1}\n\n${lines.join('\n') || 'No test yet.'}\n`
}
