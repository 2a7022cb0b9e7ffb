import type { Started } from '../parts/process.ts'

/** A proxy under test, with the ports on which it serves: TLS, in the clear, or both. */
export interface Peer {
  readonly name: string
  readonly process: Started
  readonly https?: number
  readonly http?: number
}
/** What every proxy is given to serve: one host, its certificate and one backend. */
export interface Given {
  readonly host: string
  readonly backendPort: number
  /** Paths of PEM files; `pair` is both in one. */
  readonly cert: string
  readonly key: string
  readonly pair: string
  /** A folder for what it writes. */
  readonly folder: string
  readonly say: (line: string) => void
}
