import type { Duplex } from 'node:stream'

/** One end of a tunnel. `head`: what came from it already; `count` is told of every byte that it sends. */
export interface End {
  readonly socket: Duplex
  readonly head: Buffer
  readonly count: (bytes: number) => void
}
export interface Tunnel {
  /** One end has stopped sending, or is gone. */
  readonly halfClosed: boolean
  cut(): void
}

/** Passes bytes both ways until both ends are closed, then says `over` once. An end that only stops sending is told so to the other. */
export const splice = (client: End, backend: End, over: () => void): Tunnel => {
  let closed = 0
  let halfClosed = false
  const ended = () => {
    halfClosed = true
  }
  const close = () => {
    closed++
    if (closed === 2) over()
  }
  const cut = () => {
    client.socket.destroy()
    backend.socket.destroy()
  }
  client.socket.on('end', ended).on('close', ended)
  backend.socket.on('end', ended).on('close', ended)
  oneWay(client, backend.socket, cut, close)
  oneWay(backend, client.socket, cut, close)
  return {
    get halfClosed() {
      return halfClosed
    },
    cut,
  }
}

const oneWay = ({ socket: from, head, count }: End, to: Duplex, cut: () => void, close: () => void): void => {
  const pass = (chunk: Buffer) => {
    count(chunk.length)
    if (!to.write(chunk)) from.pause()
  }
  from.on('data', pass)
  from.on('end', () => to.end())
  from.on('error', cut)
  from.on('close', () => {
    // What it had sent in full is still to reach the other end.
    if (!from.readableEnded) cut()
    else if (to.writableFinished) to.destroy()
    else to.end(() => to.destroy())
    close()
  })
  to.on('drain', () => from.resume())
  if (head.length > 0) pass(head)
  from.resume()
}
