import type { Model } from './model.ts'

export interface Run {
  readonly chance: () => number
  /** The workloads that only this caller changes. */
  readonly ids: readonly string[]
  readonly backends: readonly string[]
  readonly model: Model
  violated(what: string): void
  /** Whether gateways are being killed: one that is killed before it answers owes nothing yet. */
  disturbed(): boolean
}
export interface Caller {
  /** One round of requests, and their answers into the model. */
  turn(): Promise<void>
  answered(): number
  close(): Promise<void>
}
