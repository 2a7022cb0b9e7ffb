import { readdir } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { inTurn } from '../../../lib/one-by-one.ts'
import type { Api } from './api.ts'
import type { Documents, Refused, Side } from './feed.ts'
import { type Folder, noRoute } from './folder.ts'
import { FolderReads } from './folder-reads.ts'
import { sharedName } from './shared.ts'
import { yaml } from './yaml.ts'

interface Parts {
  readonly folder: Folder
  /** What all routes share, which stays there also when the routes are elsewhere. */
  readonly shared: (generation: number) => object
  readonly api: Api
  /** Of the Traefik that runs and has done its first read. */
  readonly pid: () => number | undefined
  /** Has it read the folder again. */
  readonly hangUp: () => void
  readonly signal: AbortSignal
}

/** ms between two tries to unlink such files. */
const sweepEvery = 200
/** ms that the end waits for a read to be over. */
const lastWait = 1_000

/**
 * Routes as files, one a document. The file of a deleted route is unlinked while Traefik reads nothing, since it drops a read in which
 * a file vanishes; where it may be reading, the file is emptied first and unlinked later.
 */
export const fileSide = (parts: Parts): Side => {
  const { folder, shared, api, pid, signal } = parts
  const ordered = inTurn()
  const reads = new FolderReads()
  /** Files of deleted routes that are still there, and those of them that have no route any more. */
  const deleted = new Set<string>()
  const emptied = new Set<string>()
  let sweeping = false
  const sharedAt = (generation: number): [string, string] => [fileOf(sharedName), yaml(shared(generation))]

  const unlink = async (write: ReadonlyMap<string, string>) => {
    await folder.change(write, deleted)
    deleted.clear()
    emptied.clear()
  }
  const empty = async (write: ReadonlyMap<string, string>) => {
    const still = [...deleted].filter((name) => !emptied.has(name))
    await folder.change(new Map([...still.map((name) => [name, noRoute] as const), ...write]))
    for (const name of still) emptied.add(name)
  }
  const sweep = async () => {
    if (sweeping) return
    sweeping = true
    while (emptied.size > 0 && !signal.aborted) {
      await wait(sweepEvery, undefined, { signal, ref: false }).catch(() => undefined)
      const generation = await api.generation(signal).catch(() => undefined)
      reads.shown(pid(), generation ?? 0)
      await ordered(async () => {
        if (emptied.size > 0 && reads.quiet(pid())) await unlink(new Map())
      }).catch(() => undefined)
    }
    sweeping = false
  }

  return {
    provider: 'file',
    holds: async () => {
      const names = await readdir(folder.path).catch(() => [])
      return names.some((name) => /^[A-Za-z0-9_-]+\.yaml$/.test(name))
    },
    open: (documents, generation) => {
      const { files } = filesOf(documents)
      return ordered(async () => {
        deleted.clear()
        emptied.clear()
        await folder.open(new Map([...files, sharedAt(generation)]))
      })
    },
    change: (write, gone) => {
      const { files, refused } = filesOf(write)
      return ordered(async () => {
        await folder.change(files)
        for (const name of files.keys()) {
          deleted.delete(name)
          emptied.delete(name)
        }
        // They go with the next offer.
        for (const name of gone) if (folder.has(fileOf(name))) deleted.add(fileOf(name))
        return refused
      })
    },
    offer: (generation) =>
      ordered(async () => {
        const shared = new Map([sharedAt(generation)])
        await (reads.quiet(pid()) ? unlink(shared) : empty(shared))
        const reader = pid()
        if (reader !== undefined) reads.asked(reader, generation)
        parts.hangUp()
        void sweep()
      }),
    taken: async (within) => {
      const shown = (await api.generation(within, 'file')) ?? 0
      return { shown, whole: reads.shown(pid(), shown) }
    },
    async close() {
      // Nobody unlinks them later, and tools that read the folder take every file in it for a route.
      const until = performance.now() + lastWait
      while (deleted.size > 0 && !reads.quiet(pid()) && performance.now() < until) await wait(20)
      await ordered(() => unlink(new Map())).catch(() => undefined)
      await folder.close()
    },
  }
}

const fileOf = (name: string): string => `${name}.yaml`

const filesOf = (documents: Documents) => {
  const files = new Map<string, string>()
  const refused = new Map<string, Error>()
  for (const [name, text] of documents) {
    try {
      files.set(fileOf(name), yaml(JSON.parse(text)))
    } catch (error) {
      refused.set(name, error instanceof Error ? error : new Error(String(error)))
    }
  }
  return { files, refused: refused satisfies Refused }
}
