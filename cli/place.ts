import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GatewayError } from '../core/errors.ts'

/**
 * The folder of state where none is named: `.gateway` in a clone, the user's state folder where the package is installed (XDG base
 * directories). Throws ROOT_UNUSABLE for a user who has none, such as one that only a container or a service manager knows.
 */
export const defaultRoot = (env: NodeJS.ProcessEnv = process.env): string => {
  if (inClone()) return fileURLToPath(new URL('../.gateway', import.meta.url))
  return join(env.XDG_STATE_HOME || join(home(), '.local', 'state'), 'zos-gateway')
}

const home = (): string => {
  try {
    return homedir()
  } catch (cause) {
    throw new GatewayError('ROOT_UNUSABLE', 'this user has no home folder for the state', 'name a folder with --root', { cause })
  }
}

/** Whether this runs from a clone of the repository rather than from an installed package. */
export const inClone = (): boolean =>
  import.meta.url.endsWith('.ts') && existsSync(new URL('../package-lock.json', import.meta.url))
