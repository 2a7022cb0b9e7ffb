import { digits } from './numbers.ts'
import type { Figure, Target } from './options.ts'

/** A figure as Markdown, its columns lined up so that it also reads on a terminal. */
export const show = (figure: Figure): string => {
  const lines = [`### ${figure.title}`, '', ...table([figure.columns, ...figure.rows])]
  if (figure.targets.length) lines.push('', ...table([['target', 'at most', 'is', ''], ...figure.targets.map(row)]))
  for (const note of figure.notes) lines.push('', note)
  return `${lines.join('\n')}\n`
}

const row = ({ what, value, most, unit = '' }: Target): readonly string[] => [
  what,
  `${most}${unit && ` ${unit}`}`,
  `${digits(value)}${unit && ` ${unit}`}`,
  value <= most ? 'met' : 'MISSED',
]

const table = (rows: readonly (readonly string[])[]): string[] => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map((cells) => (cells[column] ?? '').length)))
  const line = (cells: readonly string[]) => `| ${widths.map((width, i) => (cells[i] ?? '').padEnd(width)).join(' | ')} |`
  const [head = [], ...body] = rows
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body.map(line)]
}
