import type { Duplex } from 'node:stream'

/** Reads a connection piece by piece, each when it is asked for. Every call rejects where the connection ends first. */
export interface Reader {
  /** Up to CRLF or LF, without it. */
  line(): Promise<string>
  /** Exactly so many bytes; into `sink` where one is given, which then gets them as they come. */
  take(count: number, sink?: (chunk: Buffer) => void): Promise<Buffer>
  /** Whatever is there next, at least one byte. */
  some(): Promise<Buffer>
  /** All that is still to come. */
  rest(sink?: (chunk: Buffer) => void): Promise<Buffer>
  /** When the connection is over: `end` by a clean end, `reset` by an error. Unread bytes are kept. */
  readonly closed: Promise<'end' | 'reset'>
  /** Bytes that came so far, read or not. */
  readonly received: number
}

interface State {
  /** As they came: joined only where a line is sought, for who reads slowly has a lot of them. */
  pieces: Buffer[]
  held: number
  over: '' | 'end' | 'reset'
  received: number
  wake: () => void
}

export const createReader = (socket: Duplex): Reader => {
  const state: State = { pieces: [], held: 0, over: '', received: 0, wake: () => {} }
  const close = Promise.withResolvers<'end' | 'reset'>()
  const finish = (how: 'end' | 'reset') => {
    if (state.over !== '') return
    state.over = how
    state.wake()
    close.resolve(how)
  }
  socket.on('data', (chunk: Buffer) => {
    state.pieces.push(chunk)
    state.held += chunk.length
    state.received += chunk.length
    // A reader who does not ask gets back-pressure to work on.
    if (state.held > 4 << 20) socket.pause()
    state.wake()
  })
  socket.on('end', () => finish('end'))
  socket.on('error', () => finish('reset'))
  socket.on('close', () => finish('reset'))

  const more = async () => {
    if (state.over !== '') throw new Error(`connection closed (${state.over}) with ${state.held} unread bytes`)
    socket.resume()
    await new Promise<void>((wake) => {
      state.wake = wake
    })
  }
  /** At most so many bytes of the first piece. */
  const cut = (most: number) => {
    const first = state.pieces[0] ?? Buffer.alloc(0)
    const piece = first.subarray(0, most)
    if (piece.length === first.length) state.pieces.shift()
    else state.pieces[0] = first.subarray(piece.length)
    state.held -= piece.length
    return piece
  }
  const some = async (most = Number.POSITIVE_INFINITY) => {
    while (state.held === 0) await more()
    return cut(most)
  }
  const lineEnd = () => {
    if (state.pieces.length > 1) state.pieces = [Buffer.concat(state.pieces)]
    return state.pieces[0]?.indexOf(10) ?? -1
  }
  const gather = async (count: number, sink?: (chunk: Buffer) => void) => {
    const kept: Buffer[] = []
    for (let left = count; left > 0; ) {
      const piece = await some(left)
      left -= piece.length
      if (sink === undefined) kept.push(piece)
      else sink(piece)
    }
    return Buffer.concat(kept)
  }
  return {
    line: async () => {
      let at = lineEnd()
      for (; at < 0; at = lineEnd()) await more()
      return cut(at + 1)
        .toString('latin1')
        .replace(/\r?\n$/, '')
    },
    take: gather,
    some: () => some(),
    rest: async (sink) => {
      const kept: Buffer[] = []
      while (state.held > 0 || state.over === '') {
        if (state.held === 0) {
          await more().catch(() => undefined)
          continue
        }
        const piece = cut(state.held)
        if (sink === undefined) kept.push(piece)
        else sink(piece)
      }
      return Buffer.concat(kept)
    },
    closed: close.promise,
    get received() {
      return state.received
    },
  }
}
