import { readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { machine } from './machine.ts'
import type { Figure } from './options.ts'
import { tree } from './places.ts'
import { show } from './table.ts'

/** Puts a figure, and the machine that it was measured on, between its markers in docs/benchmarks.md. */
export const record = async (name: string, figure: Figure, quick: boolean): Promise<void> => {
  const file = join(tree, 'docs/benchmarks.md')
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`]
  const text = readFileSync(file, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no markers ${begin} ... ${end}`)
  const when = new Date().toISOString().slice(0, 10)
  const busy = `load average ${(loadavg()[1] ?? 0).toFixed(1)}`
  const how = quick ? 'A quick run, too short to quote' : 'Measured'
  const body = `${show(figure)}\n${how}, ${when}: ${await machine()}, ${busy}.\n`
  writeFileSync(file, `${text.slice(0, from)}${begin}\n${body}${text.slice(to)}`)
}
