import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { pipeline, Transform } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'

/** A way to a port of this machine, as a network can be. */
export interface Link {
  readonly port: number
  /** What has passed so far, both ways. */
  readonly bytes: number
  /** Every piece takes so many milliseconds, each way; with `stall` one in so many takes ten times that, as where packets are lost. */
  slow(milliseconds: number, stall?: number): void
  /** Nothing passes, and nobody is told: a partition. */
  hold(): void
  /** All that was held passes. */
  heal(): void
  /** Breaks what is open. */
  cut(): void
  /** From now on it leads to another port; what is open breaks. */
  lead(port: number): void
  close(): Promise<void>
}

export const openLink = async (to: number): Promise<Link> => {
  const open = new Set<Socket>()
  let [target, delay, stall, pieces, bytes] = [to, 0, 0, 0, 0]
  let held = Promise.withResolvers<void>()
  held.resolve()
  const way = () =>
    new Transform({
      async transform(piece, _, done) {
        await held.promise
        if (delay > 0) await wait(stall > 0 && ++pieces % stall === 0 ? delay * 10 : delay)
        await held.promise
        bytes += piece.length
        done(null, piece)
      },
    })
  const server = createServer((near) => {
    const far = connect({ port: target, host: '127.0.0.1' })
    for (const socket of [near, far]) {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
    }
    pipeline(near, way(), far, () => near.destroy())
    pipeline(far, way(), near, () => far.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of open) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    get bytes() {
      return bytes
    },
    slow: (milliseconds, every = 0) => {
      delay = milliseconds
      stall = every
    },
    hold: () => {
      held = Promise.withResolvers()
    },
    heal: () => held.resolve(),
    cut,
    lead: (port) => {
      target = port
      cut()
    },
    close: async () => {
      held.resolve()
      cut()
      await new Promise((done) => server.close(done))
    },
  }
}
