import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { saidVariable, secretsSaid } from './kit/said.ts'

/** Around a whole run: what every gateway of it wrote is kept, and no secret may stand in it. */
export default () => {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-said-'))
  process.env[saidVariable] = folder
  return () => {
    const found = secretsSaid(folder)
    rmSync(folder, { recursive: true, force: true })
    if (found.length === 0) return
    process.exitCode = 1
    throw new Error(`secrets stand in what gateways of this run wrote:\n${found.join('\n')}`)
  }
}
