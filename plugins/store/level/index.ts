import { definePlugin, GatewayError, knownOptions } from '../../../core/index.ts'
import { groupCommit } from './commit.ts'
import { openDatabase } from './database.ts'
import { load } from './load.ts'
import { encoder } from './record.ts'

export interface LevelOptions {
  /** What an answered commit survives: `power` a power cut (one sync for all that waits), `process` a kill -9 of the gateway. Default `power`. */
  readonly durability?: 'power' | 'process'
}

/** Keeps everything in a LevelDB in `<root>/state`. Commits that arrive while one is being written share the next sync. */
export const level = (options: LevelOptions = {}) => {
  knownOptions('level', options, { durability: true })
  const { durability = 'power' } = options
  if (durability !== 'power' && durability !== 'process') {
    throw new GatewayError('CONFIG_INVALID', `level: durability is ${JSON.stringify(durability)}`, `write 'power' or 'process'`)
  }
  return definePlugin({
    name: 'store/level',
    kind: 'store',
    options,
    setup: async ({ root, emit, health }) => {
      const database = await openDatabase(root, { sync: durability === 'power', emit, health })
      const { encode, after } = encoder()
      const commits = groupCommit(database.write)
      return {
        load: () => load(database, emit, after),
        commit: (writes) => commits.add(writes.flatMap(encode)),
        close: async () => {
          await commits.close()
          await database.close()
        },
      }
    },
  })
}
