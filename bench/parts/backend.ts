import { freePort } from '../../test/kit/port.ts'
import { goProgram } from './go.ts'
import { start } from './process.ts'

/** The workload behind the proxies: `GET /64` answers 64 bytes, `/102400` 100 KiB. Gives its URL and how to stop it. */
export const startBackend = async (say: (line: string) => void) => {
  const program = await goProgram('backend', '.', say)
  const port = await freePort()
  const { stop } = await start(program, [String(port)], { says: 'ready' })
  return { port, url: `http://127.0.0.1:${port}`, stop }
}
