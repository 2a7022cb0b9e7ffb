import type { Written } from './journal.ts'

/**
 * What the gateway and the endpoint say to each other over the unix socket: one JSON object a line. The endpoint begins with `hello`. A
 * request changes some keys of the revision `on`, or with `whole` says all of them, in several requests of which the last has `end`. With
 * `letGo` it changes nothing: for so many ms those who poll now are not kept waiting.
 */
export interface Request {
  readonly id: number
  readonly on?: string
  readonly whole?: 'begin' | 'more' | 'end'
  readonly letGo?: number
  readonly changes: readonly Written[]
}
/** `stale`: the document has another revision than the request was for. `failed`: nothing was changed, and why. */
export interface Answer {
  readonly id: number
  readonly revision: string
  readonly refused?: readonly (readonly [key: string, reason: string])[]
  readonly stale?: true
  readonly failed?: string
}
export interface Facts {
  readonly revision: string
  readonly size: number
  /** Of the http listener on 127.0.0.1. */
  readonly port: number
  /** The last revision that a Traefik has read, and how many different ones were read since the start. */
  readonly handed?: string
  readonly bodies: number
}
export type Said = { readonly hello: Facts } | { readonly answer: Answer } | { readonly handed: Facts }

/** A line longer than this is nobody's who belongs here. */
const longest = 64 << 20

/** Cuts what a socket brings into lines; `bad` where one is too long or what `take` throws at. */
export const lines = (take: (line: string) => void, bad: (error: unknown) => void) => {
  let parts: Buffer[] = []
  let size = 0
  return (chunk: Buffer): void => {
    try {
      let from = 0
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
        parts.push(chunk.subarray(from, end))
        const line = Buffer.concat(parts).toString()
        parts = []
        size = 0
        from = end + 1
        take(line)
      }
      parts.push(chunk.subarray(from))
      size += chunk.length - from
      if (size > longest) throw new Error('a line is too long')
    } catch (error) {
      bad(error)
    }
  }
}
