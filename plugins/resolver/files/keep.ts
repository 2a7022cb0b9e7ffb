import { GatewayError, reason } from '../../../core/index.ts'
import { type FilePair, type LoadedPair, loadPair } from './pair.ts'
import { watchFiles } from './watch.ts'

/** Pairs as they were read last; what cannot be used is not taken, and the old one stays. */
export interface Kept {
  readonly pairs: readonly LoadedPair[]
  /** Why a changed file was not taken. */
  readonly problems: readonly string[]
  close(): Promise<void>
}

/** Reads the pairs, or throws CONFIG_INVALID, and reads them again whenever a file changes: `read` is called after each reading. */
export const keepLoaded = async (
  files: readonly FilePair[],
  read: (kept: Kept, taken: readonly LoadedPair[]) => void,
): Promise<Kept> => {
  const pairs: LoadedPair[] = []
  const problems: string[] = []
  const reload = async () => {
    const results = await Promise.allSettled(files.map(loadPair))
    problems.length = 0
    const taken: LoadedPair[] = []
    for (const [at, result] of results.entries()) {
      if (result.status === 'rejected') problems.push(`the old certificate stays in use: ${reason(result.reason)}`)
      else if (result.value.chain !== pairs[at]?.chain || result.value.key !== pairs[at].key) {
        pairs[at] = result.value
        taken.push(result.value)
      }
    }
    read(kept, taken)
  }
  // Watched before the first reading, so that no change falls between; one reading after the other, so that no older one comes last.
  let last: Promise<unknown> = Promise.resolve()
  const watching = await watchFiles(
    files.flatMap(({ certificate, key }) => [certificate, key]),
    poll,
    () => {
      last = last.then(reload)
    },
  )
  const kept: Kept = {
    pairs,
    problems,
    async close() {
      watching.close()
      await last
    },
  }
  try {
    const first = Promise.all(files.map(loadPair)).then((loaded) => pairs.push(...loaded))
    last = first.catch(() => undefined)
    await first
    return kept
  } catch (error) {
    watching.close()
    throw new GatewayError('CONFIG_INVALID', `files: ${reason(error)}`, 'put the certificate and its key there, as PEM', {
      cause: error,
    })
  }
}

const poll = 3_000
