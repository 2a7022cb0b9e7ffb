import { createRequire } from 'node:module'

const found: unknown = createRequire(import.meta.url)('zos-gateway/package.json')
/** Of this package. */
export const version: string =
  typeof found === 'object' && found !== null && 'version' in found && typeof found.version === 'string'
    ? found.version
    : 'unknown'
