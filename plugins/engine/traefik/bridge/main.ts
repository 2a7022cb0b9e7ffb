// Lets the gateway reach ports of the network namespace that this process runs in: node main.ts <socket> <host:port> ...
import { chmod, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { serveOn } from '../../../../lib/serve-on.ts'

const [path, ...targets] = process.argv.slice(2)
if (path === undefined || targets.length === 0) throw new Error('usage: main.ts <socket> <host:port> ...')

/** The first byte of a connection says which of the targets it is for; the rest is passed on. Nothing else can be reached. */
const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => socket.destroy())
  // Whoever connects says at once what for.
  const silent = setTimeout(() => socket.destroy(), 10_000)
  socket.once('close', () => clearTimeout(silent))
  socket.once('readable', () => {
    const first: Buffer | null = socket.read(1)
    const target = first === null ? undefined : targets[first[0] ?? targets.length]
    if (target === undefined) return socket.destroy()
    clearTimeout(silent)
    const colon = target.lastIndexOf(':')
    const there = connect({ host: target.slice(0, colon), port: Number(target.slice(colon + 1)), allowHalfOpen: true })
    there.on('error', () => socket.destroy()).on('close', () => socket.destroy())
    socket.on('close', () => there.destroy())
    socket.pipe(there).pipe(socket)
  })
})
await rm(path, { force: true })
const before = process.umask(0o177)
server.listen(path, () => {
  process.umask(before)
  void chmod(path, 0o600)
  serveOn()
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0))
