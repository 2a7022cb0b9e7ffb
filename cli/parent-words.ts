import type { Address } from '../core/plugin.ts'

/** What a gateway says to the process that holds its sockets. */
export type FromChild =
  | { readonly say: 'root'; readonly root: string }
  | { readonly say: 'listen'; readonly number: number; readonly address: Address }
  | { readonly say: 'free'; readonly address: Address }
  /** Every second: its event loop turns. */
  | { readonly say: 'alive' }
  | { readonly say: 'prepared' | 'up' | 'released' | 'resumed' }
  | { readonly say: 'refused'; readonly code: string; readonly message: string; readonly fix: string }
  | { readonly say: 'bytes'; readonly bytes: Carried }
/** And what it is told. */
export type ToChild =
  | { readonly do: 'begin' | 'release' | 'resume' | 'leave' }
  | { readonly do: 'root'; readonly taken: boolean }
  | { readonly do: 'listen'; readonly number: number; readonly code?: string; readonly message?: string }
  | { readonly do: 'bytes'; readonly bytes: Carried }
/** Workload, bytes of requests, bytes of responses. */
export type Carried = readonly (readonly [id: string, request: number, response: number])[]

/** In the environment of a child: whether it is the first, comes after a crash, or takes the place of one that runs. */
export const childVariable = 'GATEWAY_CHILD'
export type Coming = 'first' | 'again' | 'next'

/** The socket of the parent below the root: it is asked for an upgrade there, and shows that the root is taken. */
export const parentSocket = 'parent.sock'

/** Milliseconds between two `alive`. */
export const beat = 1_000
