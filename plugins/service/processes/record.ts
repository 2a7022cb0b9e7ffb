import { createHash } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Core, reason, type Service } from '../../../core/index.ts'
import { writeFileAtomic } from '../../../lib/atomic-file.ts'
import type { Identity } from '../../../lib/process.ts'

/** What a later gateway must know of a child. No value of its environment is in it, only a hash over all that it was started with. */
export interface Recorded extends Identity {
  readonly name: string
  readonly hash: string
  readonly keep: boolean
  readonly stopSeconds: number
  /** The pid of the gateway whose child it is, or that adopted it. */
  readonly gateway: number
  /** The network namespace that it was started in. */
  readonly place?: string
  /** For people who read the file. */
  readonly command: string
  readonly args: readonly string[]
}

/** Equal for two services that the same running child can serve. */
export const hashOf = ({ command, args, env = {}, cwd, user, netns, revision }: Service): string =>
  createHash('sha256')
    .update(JSON.stringify([command, args, Object.entries(env).sort(), cwd, user, netns, revision]))
    .digest('hex')
    .slice(0, 32)

/**
 * The records of a folder, written in order and behind the work: a slow disk keeps no child from serving. Until one is written, or
 * while the disk is full, the mark in the child's environment is what a later gateway knows it by.
 */
export const recordsOf = (folder: string, log: Core['log']) => {
  const wanted = new Map<string, Recorded | undefined>()
  const complained = new Set<string>()
  let writing: Promise<void> | undefined

  const write = async () => {
    for (const [name, record] of wanted) {
      const path = join(folder, `${name}.json`)
      try {
        await (record ? writeFileAtomic(path, `${JSON.stringify(record, null, 2)}\n`) : rm(path, { force: true }))
        complained.delete(name)
        // A newer one may have come meanwhile.
        if (wanted.get(name) === record) wanted.delete(name)
      } catch (error) {
        if (!complained.has(name)) log(`${name} could not be recorded, which is tried again: ${reason(error)}`)
        complained.add(name)
      }
    }
  }
  const again = (): Promise<void> => {
    writing ??= write().finally(() => {
      writing = undefined
    })
    return writing
  }
  /** One round may end as a change comes. */
  const written = async (): Promise<void> => {
    await again()
    if (wanted.size) await again()
  }
  return {
    put: (record: Recorded): void => {
      wanted.set(record.name, record)
      void written()
    },
    drop: async (name: string): Promise<void> => {
      wanted.set(name, undefined)
      await written()
    },
    /** Tries again what could not be written. */
    again: (): void => void (wanted.size && again()),
    written,
  }
}

/** All that can be read; of the rest the names of the files. */
export const readRecords = async (folder: string): Promise<{ records: readonly Recorded[]; broken: readonly string[] }> => {
  const records: Recorded[] = []
  const broken: string[] = []
  for (const file of await readdir(folder)) {
    const name = /^([A-Za-z0-9_-][A-Za-z0-9_.-]*)\.json$/.exec(file)?.[1]
    if (name === undefined) continue
    const record = await readFile(join(folder, file), 'utf8').then(parse, () => undefined)
    if (record?.name === name) records.push(record)
    else broken.push(file)
  }
  return { records, broken }
}

const parse = (text: string): Recorded | undefined => {
  try {
    const found: unknown = JSON.parse(text)
    return isRecord(found) ? found : undefined
  } catch {
    return undefined
  }
}
const isRecord = (found: unknown): found is Recorded =>
  typeof found === 'object' &&
  found !== null &&
  ['name', 'hash', 'start', 'boot', 'command'].every((key) => typeof Reflect.get(found, key) === 'string') &&
  ['pid', 'stopSeconds', 'gateway'].every((key) => typeof Reflect.get(found, key) === 'number') &&
  typeof Reflect.get(found, 'keep') === 'boolean' &&
  ['string', 'undefined'].includes(typeof Reflect.get(found, 'place')) &&
  Array.isArray(Reflect.get(found, 'args')) &&
  Number.isSafeInteger(Reflect.get(found, 'pid')) &&
  Number(Reflect.get(found, 'pid')) > 1
