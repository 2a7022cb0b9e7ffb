import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const tree = fileURLToPath(new URL('../..', import.meta.url))
/** Where built programs are kept between runs (XDG base directories). */
export const cache = (): string => {
  const path = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'zos-gateway-bench')
  mkdirSync(path, { recursive: true })
  return path
}
