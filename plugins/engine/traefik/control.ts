import { chmod, unlink } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'

/**
 * Listens on a unix socket of mode 0600, for the gateway alone. A socket file that a dead process left goes; rejects where a living one
 * listens there, who then has the folder as well.
 */
export const openControl = async (path: string, accept: (socket: Socket) => void) => {
  const clients = new Set<Socket>()
  const server = createServer((socket) => {
    clients.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => clients.delete(socket))
    accept(socket)
  })
  await freePath(path)
  const before = process.umask(0o177)
  await new Promise<void>((done, fail) => server.once('error', fail).listen(path, done)).finally(() => process.umask(before))
  await chmod(path, 0o600)
  return {
    clients,
    /** Takes nobody any more at once, and ends who is there when `last` is over. */
    close: async (last: Promise<unknown>): Promise<void> => {
      const closed = new Promise((done) => server.close(done))
      await last
      for (const socket of clients) socket.destroy()
      await closed
    },
  }
}

const freePath = async (path: string): Promise<void> => {
  const taken = await new Promise<boolean>((done) => {
    const socket = connect(path, () => done(true))
    socket.once('error', () => done(false))
    socket.once('close', () => socket.destroy())
    setTimeout(() => socket.destroy(), 1_000).unref()
  })
  if (taken) throw new Error(`another process listens at ${path}`)
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}
