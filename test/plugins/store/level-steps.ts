import type { Migration } from '../../../plugins/store/level/format.ts'

/** Two steps such as a later version may have: other keys for some records, another form for others. */
export const steps: readonly Migration[] = [
  async (level) => {
    const old = await level.iterator<string, Uint8Array>({ gte: 'state!', lt: 'state"', valueEncoding: 'view' }).all()
    return old.flatMap(([key, value]) => [
      { key, value: null },
      { key: key.replace('state!', 'kept!'), value },
    ])
  },
  async (level) => {
    const old = await level.iterator({ gte: 'route!', lt: 'route"' }).all()
    return old.map(([key, value]) => ({ key, value: `${value} of 3` }))
  },
]
