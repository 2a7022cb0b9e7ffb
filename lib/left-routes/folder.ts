import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readPlainFile } from '../plain-file.ts'
import { isNameIn, type LeftRoute, readLeftRoute } from './read.ts'

/** A file that no workload could be made of, and why. */
export interface Unread {
  readonly path: string
  readonly why: string
}
export interface Left {
  readonly routes: readonly LeftRoute[]
  readonly unread: readonly Unread[]
}

/** More is no route file. */
export const mostBytes = 64 * 1024

/**
 * What the Go module left in these folders; the first folder that has a workload or a host wins. `domain`: the gateway's own, where it is
 * known, by which a passed-through host is told to be a name. A folder that is not there is empty. Changes nothing.
 */
export const readLeft = async (folders: readonly string[], domain?: string): Promise<Left> => {
  const routes = new Map<string, LeftRoute>()
  const hosts = new Map<string, string>()
  const unread: Unread[] = []
  const take = (route: LeftRoute): string | undefined => {
    if (routes.has(route.id)) return 'a folder before this one has the workload too'
    const owner = hosts.get(route.host)
    if (owner !== undefined) return `domain already registered: ${route.host}, by workload ${owner}`
    routes.set(route.id, route)
    hosts.set(route.host, route.id)
    return undefined
  }
  for (const folder of folders)
    for (const name of await namesIn(folder, unread)) {
      const path = join(folder, name)
      const route = await readFileOf(path, name).catch((error) => `it cannot be read: ${error.message}`)
      const why = typeof route === 'string' ? route : take(route)
      if (why !== undefined) unread.push({ path, why })
    }
  return { routes: withZones([...routes.values()], domain), unread }
}

/** What this gateway itself keeps beside its route files, which are of the same kind, and what a write that did not end left. */
export const ours = /^(?:\..*|gateway\.shared\.yaml|certificate\..*\.yaml)$/

const namesIn = async (folder: string, unread: Unread[]): Promise<readonly string[]> => {
  try {
    const names = await readdir(folder)
    return names.filter((name) => !ours.test(name)).sort()
  } catch (error) {
    if (!isAbsent(error)) unread.push({ path: folder, why: `it cannot be read: ${String(error)}` })
    return []
  }
}

/** The workload of one file of that name; a sentence where there is none. Rejects where it cannot be read. */
export const readFileOf = async (path: string, name: string): Promise<LeftRoute | string> => {
  if (!name.endsWith('.yaml')) return 'it is no .yaml file'
  const text = await readPlainFile(path, mostBytes)
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text, { schema: 'core', uniqueKeys: true, merge: false })
  const [error] = document.errors
  if (error) return `it is no YAML: ${error.message.split('\n')[0]}`
  return readLeftRoute(name.slice(0, -'.yaml'.length), document.toJS({ maxAliasCount: 10 }))
}

/** A file that does not say whether its host is a name: it is one where it lies one label under a domain that others name. */
const withZones = (routes: readonly LeftRoute[], domain: string | undefined): readonly LeftRoute[] => {
  const zones = new Set([...(domain === undefined ? [] : [domain]), ...routes.flatMap(({ zone }) => zone ?? [])])
  return routes.map((route) => {
    const zone = route.zone ?? (route.own ? undefined : [...zones].find((each) => isNameIn(route.host, each)))
    return zone === undefined ? route : { ...route, zone }
  })
}

const isAbsent = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'
