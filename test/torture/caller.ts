import type { Model } from './model.ts'

export interface Run {
  readonly chance: () => number
  /** The workloads that only this caller changes. */
  readonly ids: readonly string[]
  readonly backends: readonly string[]
  readonly model: Model
  violated(what: string): void
  /** An answer took longer than a Go caller waits, with nothing killed meanwhile: the machine has no time for it. */
  late(): void
  /** An operation was told that its deadline is over: it was not carried out. */
  timedOut(): void
  /** Whether something is being killed: who is killed before it answers owes nothing yet. */
  disturbed(): boolean
}
export interface Caller {
  /** One round of requests, and their answers into the model. */
  turn(): Promise<void>
  answered(): number
  close(): Promise<void>
}
