import { readFileSync } from 'node:fs'

/** The processes that this one started and that are there, whether they ended or not. */
export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

/** `R`, `S`, `T` for one that was stopped, and so on (proc(5)). */
export const stateOf = (pid: number): string | undefined => /\) (\w) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
