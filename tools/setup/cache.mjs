// Where the programs lie that are built for tests: outside of the tree, shared by all checkouts. test/kit/programs.ts finds them there.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'zos-gateway')
export const platform = `${process.platform}-${process.arch}`

/** The folder of a Go module of ours that exists to build one program. */
export const moduleOf = (program) => fileURLToPath(new URL(`../${program}`, import.meta.url))

/** A path in the cache that changes with the module files, so that what another checkout wants never replaces it. */
export function builtPath(program, version) {
  const hash = createHash('sha256')
  for (const name of ['go.mod', 'go.sum', 'tools.go']) hash.update(readFileSync(join(moduleOf(program), name)))
  return join(cache, `${program}-${version}-${platform}-${hash.digest('hex').slice(0, 12)}`)
}

export function makeCache() {
  mkdirSync(cache, { recursive: true })
  return cache
}
