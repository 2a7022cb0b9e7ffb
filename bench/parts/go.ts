import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { need } from './find.ts'
import { cache, tree } from './places.ts'
import { run } from './process.ts'

/**
 * The path of a Go program, built from a module below bench/ (`folder`) unless the cache has it. `target`: the package, such as `.`
 * or an import path of a dependency.
 */
export const goProgram = async (folder: string, target: string, say: (line: string) => void): Promise<string> => {
  const module = join(tree, 'bench', folder)
  const hash = createHash('sha256').update(target)
  for (const name of readdirSync(module, { recursive: true, encoding: 'utf8' }).sort())
    if (/\.go$|go\.(mod|sum)$/.test(name)) hash.update(readFileSync(join(module, name)))
  const name = `${folder.replaceAll('/', '-')}-${target.replaceAll(/[^a-z0-9]+/gi, '-')}`
  const binary = join(cache(), `${name}-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(binary)) return binary
  say(`building ${target === '.' ? folder : target} (kept for the next run)`)
  const go = need('go', 'install Go 1.26 or newer from https://go.dev/dl/')
  const made = `${binary}.${process.pid}`
  const env = { CGO_ENABLED: '0', GOTOOLCHAIN: 'local' }
  await run(go, ['build', '-trimpath', '-ldflags', '-s -w', '-o', made, target], { cwd: module, env })
  for (const old of readdirSync(cache()))
    if (old.startsWith(`${name}-`) && join(cache(), old) !== made) rmSync(join(cache(), old))
  renameSync(made, binary)
  return binary
}
