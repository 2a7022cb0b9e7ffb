import type { Level } from './open.ts'
import type { Row } from './record.ts'

/** All of them or none. `sync`: behind it they are on the disk. */
export const put = (level: Level, rows: readonly Row[], sync: boolean): Promise<void> =>
  level.batch<string, string | Uint8Array>(rows.map(operation), { sync })
const operation = ({ key, value }: Row) => {
  if (value === null) return { type: 'del' as const, key }
  return { type: 'put' as const, key, value, valueEncoding: typeof value === 'string' ? 'utf8' : 'view' }
}
