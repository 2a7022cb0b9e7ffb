import { readFileSync } from 'node:fs'

interface Vector {
  readonly method: string
  readonly object: string
  /** Hex. */
  readonly request: string
  readonly response: string
  /** Where this project differs from the reference on purpose, how. */
  readonly ours?: string
}

const read = (file: string) => JSON.parse(readFileSync(new URL(`../../fixtures/zbus/${file}`, import.meta.url), 'utf8'))

/** Requests of Go clients and what Go's own server answers. */
export const vectors: Readonly<Record<string, Vector>> = read('vectors.json')
/** Answers of other modules of a node, hex. */
export const neighbours: Readonly<Record<string, string>> = read('zos-neighbours.json')

export const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')
export const hex = (from: Uint8Array): string => Buffer.from(from).toString('hex')
