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

/** A request to a proxy's API that adds a route. */
export interface Adding {
  readonly method: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}
export const add = async ({ url, ...asked }: Adding): Promise<void> => {
  const answer = await fetch(url, asked)
  if (!answer.ok) throw new Error(`${asked.method} ${url}: ${answer.status} ${await answer.text()}`)
}
