import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'zos-gateway', 'go')

/** Builds a Go program of this tree outside of it and returns its path; what did not change is not built again. */
export const buildGo = async (folder: string, program: string): Promise<string> => {
  await mkdir(cache, { recursive: true })
  const path = join(cache, program)
  const from = program.slice(program.lastIndexOf('-') + 1)
  try {
    await promisify(execFile)('go', ['build', '-trimpath', '-o', path, `./${from}`], {
      cwd: folder,
      env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' },
    })
  } catch (cause) {
    throw new Error(`go build of ${program} failed; a Go of 1.21 or newer is needed`, { cause })
  }
  return path
}
