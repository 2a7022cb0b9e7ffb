import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { syncFolder, writeFilesAtomic } from '../atomic-file.ts'
import { readPlainFile } from '../plain-file.ts'
import { mostBytes, ours, readFileOf } from './folder.ts'
import { type Leaving, leftDocument } from './write.ts'

/** What is left for a Go module, and what cannot be. */
export interface LeftFiles {
  readonly files: ReadonlyMap<string, string>
  readonly unwritten: readonly { readonly id: string; readonly host: string; readonly why: string }[]
}

/**
 * The files of routes, by name, as the Go module starts from them. One behind a private network keeps the addresses of the bridge that
 * runs for it, which the file of now has (`folder`), unless that bridge `ends` now.
 */
export const leftFiles = async (
  routes: readonly (Leaving & { readonly network?: string })[],
  folder: string,
  ends: (id: string) => boolean = () => false,
): Promise<LeftFiles> => {
  const files = new Map<string, string>()
  const unwritten: { id: string; host: string; why: string }[] = []
  for (const route of routes) {
    const { id, host, network } = route
    const name = `${id}.yaml`
    const bridged = network === undefined ? route.backends : await bridgeOf(join(folder, name), name)
    if (network !== undefined && ends(id))
      unwritten.push({ id, host, why: `its bridge into the private network '${network}' ends` })
    else if (bridged === undefined) unwritten.push({ id, host, why: `no bridge into the private network '${network}' is known` })
    else files.set(name, stringify(leftDocument({ ...route, backends: bridged }), { lineWidth: 0 }))
  }
  return { files, unwritten }
}

const bridgeOf = async (path: string, name: string): Promise<readonly string[] | undefined> => {
  const file = await readFileOf(path, name).catch(() => 'it is not there')
  if (typeof file === 'string' || !file.backends.every((text) => /^(?:http:\/\/)?127\./.test(text))) return undefined
  // What counts bytes stands before the bridge there.
  return (await readPlainFile(path, mostBytes)).includes('gateway-relay') ? undefined : file.backends
}

const isRoute = async (path: string, name: string): Promise<boolean> =>
  typeof (await readFileOf(path, name).catch(() => '')) !== 'string'

/** Makes a folder of the gateway's the Go module's: these files, and nothing else of ours. What is nobody's is moved beside it. */
export const leaveFolder = async (folder: string, files: LeftFiles['files']): Promise<void> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeFilesAtomic(folder, files)
  for (const name of await readdir(folder)) {
    if (files.has(name)) continue
    const path = join(folder, name)
    if (ours.test(name) || (await isRoute(path, name))) await rm(path, { recursive: true, force: true })
    else {
      await mkdir(`${folder}-aside`, { recursive: true, mode: 0o700 })
      await rename(path, join(`${folder}-aside`, `${new Date().toISOString().replaceAll(':', '')}-${name}`))
    }
  }
  await syncFolder(folder)
}

/** The route files of the Go module's volatile folder: what was there when it stopped, and is of the past. Those that are no routes are none of ours. */
export const stale = async (folder: string): Promise<readonly string[]> => {
  const names = await readdir(folder).catch(() => [])
  const found: string[] = []
  for (const name of names) if (await isRoute(join(folder, name), name)) found.push(join(folder, name))
  return found.sort()
}
