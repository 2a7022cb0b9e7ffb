import type { Model } from './model.ts'

export interface Run {
  readonly chance: () => number
  /** The workloads that only this caller changes. */
  readonly ids: readonly string[]
  readonly backends: readonly string[]
  readonly model: Model
  violated(what: string): void
}
export interface Caller {
  /** One round of requests, and their answers into the model. */
  turn(): Promise<void>
  answered(): number
  close(): Promise<void>
}
