import { join } from 'node:path'
import { digits, ms, times } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'
import { tree } from './parts/places.ts'
import { run } from './parts/process.ts'

interface Told {
  /** Milliseconds. */
  readonly fdatasync: number
  readonly rows: readonly Row[]
}
interface Row {
  readonly callers: number
  readonly server: 'go' | 'power' | 'process'
  readonly perSecond: number
  /** Of the Go server's operations a second at as many callers. */
  readonly ratio: number
  readonly p50: number
  readonly p99: number
}
const names = { go: 'Go server, no sync', power: 'zos-gateway', process: 'zos-gateway, durability: process' }

/** SetNamedProxy over zbus beside a Go server in the reference's shape; bench/zbus.ts measures. */
export const measure = async ({ quick, say }: Options): Promise<Figure> => {
  say('driving both servers from 1, 16 and 64 callers')
  const rounds = quick ? '1' : '5'
  const out = await run(process.execPath, ['--conditions=source', join(tree, 'bench/zbus.ts'), '--rounds', rounds, '--json'])
  const { fdatasync, rows }: Told = JSON.parse(out)
  const of = (callers: number, server: Row['server']) => rows.find((row) => row.callers === callers && row.server === server)!
  const slower = (callers: number, server: Row['server']) => 1 / of(callers, server).ratio
  return {
    title: 'zbus SetNamedProxy, safe against power loss, beside a Go server that syncs nothing',
    columns: ['callers', 'server', 'ops/s', "of Go's", 'p50', 'p99'],
    rows: rows.map((row) => [
      String(row.callers),
      names[row.server],
      digits(row.perSecond),
      times(row.ratio),
      ms(row.p50),
      ms(row.p99),
    ]),
    targets: [
      { what: "the Go server's ops/s, of ours, 64 callers (3 times as many)", value: slower(64, 'power'), most: 1 / 3 },
      { what: "the Go server's ops/s, of ours, 16 callers (2.5 times as many)", value: slower(16, 'power'), most: 1 / 2.5 },
      {
        what: "time over the Go server's at 1 caller, in fdatasyncs",
        value: (of(1, 'power').p50 - of(1, 'go').p50) / fdatasync,
        most: 1.3,
      },
      {
        what: 'time of `durability: process` at 1 caller, of the Go server',
        value: of(1, 'process').p50 / of(1, 'go').p50,
        most: 1,
      },
    ],
    notes: [`One fdatasync beside it: ${ms(fdatasync)}. Both are driven by the published Go client through the same Redis.`],
  }
}
