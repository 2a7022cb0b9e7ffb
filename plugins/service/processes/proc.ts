import { readdirSync, readFileSync, statSync } from 'node:fs'
import { type Identity, identify, statOf } from '../../../lib/process.ts'
import { markName } from '../../../lib/supervision/service.ts'

/** `keep` is in it, so that one whose record is lost is still known for what it is. */
export const markOf = (folder: string, name: string, hash: string, keep: boolean): string =>
  `${folder}/${name}:${hash}:${keep ? 'keep' : 'end'}`

/** Processes with a mark that begins so and that lead their own session, as every child of ours does, and run as one of these users. */
export const findMarked = (prefix: string, uids: readonly number[]): readonly { identity: Identity; mark: string }[] =>
  pids().flatMap((pid) => {
    const fields = statOf(pid)
    if (Number(fields?.[3]) !== pid) return []
    const mark = readMark(pid)
    const identity = identify(pid)
    if (!mark?.startsWith(prefix) || !identity || !uids.includes(uidOf(pid))) return []
    return [{ identity, mark }]
  })

/** What is left of a group behind its leader: members that carry the mark. */
export const groupOf = (leader: number, mark: string): readonly number[] =>
  pids().filter((pid) => Number(statOf(pid)?.[2]) === leader && readMark(pid) === mark)

/** Whose child it is; 1, or whoever takes orphans, once that is gone. */
export const parentOf = (pid: number): number => Number(statOf(pid)?.[1])

const pids = () => (attempt(() => readdirSync('/proc')) ?? []).flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
const uidOf = (pid: number): number => attempt(() => statSync(`/proc/${pid}`).uid) ?? -1

const readMark = (pid: number): string | undefined =>
  attempt(() => readFileSync(`/proc/${pid}/environ`, 'utf8'))
    ?.split('\0')
    .find((entry) => entry.startsWith(`${markName}=`))
    ?.slice(markName.length + 1)

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}
