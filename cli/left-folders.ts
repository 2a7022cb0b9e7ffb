import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { GatewayError } from '../core/errors.ts'
import { acmeFiles } from '../lib/left-routes/acme.ts'

/** Where the Go module of Zero-OS keeps its routes while it runs: gone when the node starts again. */
export const volatile = '/var/run/cache/gateway'

/** The folders of its route files, the newest first; `from`: its root, or such a folder. Throws NOT_FOUND where what is named has none. */
export const leftFolders = (from: string | undefined, root: string): readonly string[] => {
  if (from === undefined) return [join(volatile, 'proxy'), join(root, 'proxy')]
  if (existsSync(join(from, 'proxy'))) return [join(from, 'proxy')]
  if (existsSync(from) && !acmeFiles.some((name) => existsSync(join(from, name)))) return [from]
  throw new GatewayError(
    'NOT_FOUND',
    `${from} has no folder proxy`,
    'give the root of the other gateway, or its folder of route files',
  )
}
