import { join } from 'node:path'
import type { Figure, Options } from './parts/options.ts'
import { tree } from './parts/places.ts'
import { run } from './parts/process.ts'

/** Commits a second of the store beside a bare fdatasync, and its load of 100,000 routes; bench/store.ts measures. */
export const measure = async ({ quick, say }: Options): Promise<Figure> => {
  say('committing from 1, 16 and 64 callers, then loading 100,000 routes')
  const out = await run(process.execPath, ['--conditions=source', join(tree, 'bench/store.ts'), quick ? '1' : '3'])
  const lines = out.split('\n').filter(Boolean)
  const load = lines.filter((line) => line.startsWith('load '))
  return {
    title: 'The store alone',
    columns: ['what', 'commits'],
    rows: lines.flatMap((line) => {
      const [, what = '', rate = ''] = /^(.*\S)\s{2,}(.*)$/.exec(line) ?? []
      return what ? [[what, rate]] : []
    }),
    targets: [],
    notes: load,
  }
}
