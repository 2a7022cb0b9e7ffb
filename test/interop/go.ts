import { execFile } from 'node:child_process'
import { mkdir, rename } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'zos-gateway', 'go')

/** Builds a Go program outside of the tree and returns its path. Go itself sees to it that what did not change is not built again. */
export const buildGo = async (module: URL, program: string): Promise<string> => {
  const cwd = fileURLToPath(module)
  const path = join(cache, program)
  // Another run may be using the one that is there.
  const fresh = `${path}.${process.pid}`
  await mkdir(cache, { recursive: true })
  try {
    await run('go', ['build', '-trimpath', '-o', fresh, `./${program}`], {
      cwd,
      env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' },
    })
  } catch (cause) {
    throw new Error(`building ${program} needs Go 1.21 or newer and the Go module proxy: ${cause}`, { cause })
  }
  await rename(fresh, path)
  return path
}

/** The line of JSON that a program of this folder prints last. */
export const jsonOf = async (program: string, args: readonly string[]): Promise<unknown> => {
  const { stdout } = await run(program, args, { timeout: 120_000 })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
}
