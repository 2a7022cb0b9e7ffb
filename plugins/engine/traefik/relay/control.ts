import { chmod, unlink } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { lines } from '../endpoint/protocol.ts'
import type { Answer, Answers, Ask, Request } from './protocol.ts'

/** Takes what the gateway asks on a unix socket of mode 0600. Sets, and what follows them, are done in the order in which they came. */
export const startControl = async (path: string, answer: (ask: Ask) => Promise<Answers[keyof Answers]>) => {
  const clients = new Set<Socket>()
  let turn: Promise<unknown> = Promise.resolve()
  const server = createServer((socket) => {
    clients.add(socket)
    const reply = (said: Answer) => void (socket.writable && socket.write(`${JSON.stringify(said)}\n`))
    const take = (line: string) => {
      const { n, ...ask }: Request = JSON.parse(line)
      const done = turn.then(() => {
        const doing = answer(ask)
        // A drain takes its time: others go on meanwhile.
        return { doing, wait: ask.do === 'remove' ? undefined : doing.catch(() => undefined) }
      })
      turn = done.then(({ wait }) => wait)
      done
        .then(({ doing }) => doing)
        .then(
          (done) => reply({ n, done }),
          (error: unknown) => reply({ n, failed: error instanceof Error ? error.message : String(error) }),
        )
    }
    socket.on(
      'data',
      lines(take, () => socket.destroy()),
    )
    socket.on('error', () => socket.destroy())
    socket.on('close', () => clients.delete(socket))
  })
  await freePath(path)
  const before = process.umask(0o177)
  await new Promise<void>((done, fail) => server.once('error', fail).listen(path, done)).finally(() => process.umask(before))
  await chmod(path, 0o600)
  return {
    close: async () => {
      const closed = new Promise((done) => server.close(done))
      await turn
      for (const socket of clients) socket.destroy()
      await closed
    },
  }
}

/** A socket that a dead process left goes; one that answers is another relay's. */
const freePath = async (path: string): Promise<void> => {
  const taken = await new Promise<boolean>((done) => {
    const socket = connect(path, () => done(true))
    socket.once('error', () => done(false))
    socket.once('close', () => socket.destroy())
    setTimeout(() => socket.destroy(), 1_000).unref()
  })
  if (taken) throw new Error(`another relay listens at ${path}`)
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}
