import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of state where none is named: `.gateway` in a clone, the user's state folder where the package is installed (XDG base directories). */
export const defaultRoot = (env: NodeJS.ProcessEnv = process.env): string => {
  if (inClone()) return fileURLToPath(new URL('../.gateway', import.meta.url))
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'zos-gateway')
}

/** Whether this runs from a clone of the repository rather than from an installed package. */
export const inClone = (): boolean =>
  import.meta.url.endsWith('.ts') && existsSync(new URL('../package-lock.json', import.meta.url))
