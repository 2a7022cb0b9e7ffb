import { shown } from '../lib/shown.ts'

/** JSON for programs: one value, indented. */
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2))

export const print = (...lines: readonly string[]): void => void process.stdout.write(`${lines.join('\n')}\n`)

/** A table for people; with no rows the sentence instead. What does not print is escaped: text of strangers moves no cursor. */
export const printTable = async (
  head: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
  none: string,
): Promise<void> => {
  if (rows.length === 0) return print(none)
  const { default: Table } = await import('cli-table3')
  const bare = {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': '',
  }
  const inner = { left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' }
  const table = new Table({
    head: [...head],
    chars: { ...bare, ...inner },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  for (const row of rows) table.push(row.map((cell) => (cell === undefined ? '-' : shown(String(cell)))))
  print(
    ...table
      .toString()
      .split('\n')
      .map((line) => line.trimEnd()),
  )
}

/** 1536 as `1.5 KiB`. */
export const bytes = (count: number): string => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  const power = Math.min(count < 1 ? 0 : Math.floor(Math.log2(count) / 10), units.length - 1)
  const value = count / 1024 ** power
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`
}

/** How long a time is, in its largest unit that counts at least two: `3 h`, `90 min`. */
export const span = (milliseconds: number): string => {
  const seconds = Math.abs(milliseconds) / 1000
  for (const [unit, size] of [
    ['days', 86_400],
    ['h', 3600],
    ['min', 60],
  ] as const)
    if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${unit}`
  return `${Math.floor(seconds)} s`
}
