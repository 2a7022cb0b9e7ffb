import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Route, reason } from '../../../core/index.ts'
import { backendAddress, parseBackend } from '../../../lib/backend.ts'
import { readFileOf } from '../../../lib/left-routes/folder.ts'
import type { LeftRoute } from '../../../lib/left-routes/read.ts'

/** What the Go module's file says of a workload: undefined where it has none, a sentence where it cannot be read. */
export const fileOf = async (folders: readonly string[], id: string): Promise<LeftRoute | string | undefined> => {
  for (const folder of folders) {
    const path = join(folder, `${id}.yaml`)
    const there = await stat(path).catch(() => undefined)
    if (there) return readFileOf(path, `${id}.yaml`).catch((error) => `it cannot be read: ${reason(error)}`)
  }
  return undefined
}

/** Where the file and what this gateway would serve are not the same; empty where they are. */
export const differences = (file: LeftRoute, route: Route): readonly string[] => {
  const found: string[] = []
  const differ = (what: string, theirs: unknown, ours: unknown) => {
    if (theirs !== ours) found.push(`${what}: ${theirs} in the file, ${ours} here`)
  }
  differ('host', file.host, route.host)
  differ('TLS', mode(file.passthrough), mode(route.passthrough))
  // Behind a private network the file has the addresses of the bridge.
  if (route.network === undefined) differ('backends', dialed(file), dialed(route))
  // A file of what is passed through does not say which it is.
  if (!route.passthrough) differ('kind', kind(file.zone), kind(route.zone))
  return found
}

export const describe = ({ host, passthrough, backends }: Pick<LeftRoute, 'host' | 'passthrough' | 'backends'>): string =>
  `${host} -> ${backends.join(', ')}${passthrough ? ' (passed through)' : ''}`

const mode = (passthrough: boolean) => (passthrough ? 'passed through' : 'ended here')
const kind = (zone: string | undefined) => (zone === undefined ? 'a domain of its own' : `a name under ${zone}`)

const dialed = ({ backends, passthrough }: Pick<LeftRoute, 'backends' | 'passthrough'>): string =>
  backends
    .map((text) => {
      const backend = parseBackend(text, passthrough)
      return typeof backend === 'string' ? text : `${backend.scheme === 'https' ? 'https://' : ''}${backendAddress(backend)}`
    })
    .sort()
    .join(', ')
