import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAuthority } from '../../test/kit/authority.ts'
import { tempRoot } from '../../test/kit/root.ts'
import { domain } from '../parts/gateway.ts'
import type { Given } from './peer.ts'

/** What the peers serve: `w0` of the benchmark's domain, under a wildcard certificate like the gateway's own (P-256). */
export const givenFor = async (backendPort: number, say: (line: string) => void): Promise<Given> => {
  const { path: folder } = tempRoot('gateway-bench-peers')
  const { chain, key } = await (await createAuthority()).issue([`*.${domain}`, domain])
  const file = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const files = { cert: file('cert.pem', chain), key: file('key.pem', key), pair: file('pair.pem', chain + key) }
  return { host: `w0.${domain}`, backendPort, ...files, folder, say }
}
