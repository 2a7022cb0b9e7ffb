import { unlink } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { asGatewayError, GatewayError } from '../core/errors.ts'
import { answers } from '../core/listeners.ts'
import { lingeringClose } from '../lib/lingering-close.ts'
import { parentSocket } from './parent-words.ts'

/** Where the parent is asked for an upgrade, by whoever may open the socket; and its hold on the root. */
export const desk = (upgrade: () => Promise<number>) => {
  let server: Server | undefined
  return {
    /** Rejects where another parent has the root. */
    async open(root: string): Promise<void> {
      if (server) return
      const path = join(root, parentSocket)
      if (await answers(path))
        throw new GatewayError('BUSY', `another gateway has the root ${root}`, 'stop it, or use another --root')
      await unlink(path).catch(() => undefined)
      server = createServer((socket) => {
        socket.on('error', () => socket.destroy())
        // Who connects and sends nothing holds no descriptor for ever.
        const silent = setTimeout(() => socket.destroy(), 10_000)
        socket.once('close', () => clearTimeout(silent))
        socket.once('data', async () => {
          clearTimeout(silent)
          const answer = await upgrade().then(
            (pid) => ({ pid }),
            (error) => {
              const { code, message, fix } = asGatewayError(error)
              return { code, message, fix }
            },
          )
          lingeringClose(socket, `${JSON.stringify(answer)}\n`)
        })
      })
      const opened = server
      const before = process.umask(0o177)
      try {
        await new Promise<void>((resolve, reject) => opened.once('error', reject).listen(path, resolve))
      } finally {
        process.umask(before)
      }
    },
  }
}
