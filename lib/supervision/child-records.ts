import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Identity, isAlive } from '../process.ts'

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

/** The folder of the records of a gateway's children, and of their logs. */
export const childrenFolder = (root: string): string => join(root, 'run')

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

/** A child that lived on when its gateway went. */
export interface LeftChild extends Recorded {
  /** SIGTERM to its group, SIGKILL behind its time. Idempotent. */
  end(): Promise<void>
}

/** The recorded children of a root whose gateway does not run. */
export const leftChildren = async (root: string): Promise<readonly LeftChild[]> => {
  const folder = childrenFolder(root)
  const { records } = await readRecords(folder).catch(() => ({ records: [] }))
  return records
    .filter((one) => isAlive(one) && one.gateway !== process.pid)
    .map((one) => ({ ...one, end: () => end(folder, one) }))
}

const end = async (folder: string, child: Recorded): Promise<void> => {
  const until = performance.now() + child.stopSeconds * 1_000
  signal(child, 'SIGTERM')
  while (isAlive(child) && performance.now() < until) await wait(50)
  signal(child, 'SIGKILL')
  // One that hangs in the kernel ends when that lets it.
  for (let left = 250; left > 0 && isAlive(child); left--) await wait(20)
  await rm(join(folder, `${child.name}.json`), { force: true })
}
/** To its group; one that is gone by now is what is wanted. */
const signal = (child: Recorded, name: NodeJS.Signals): void => {
  try {
    if (isAlive(child)) process.kill(-child.pid, name)
  } catch {
    // It ended in between.
  }
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
