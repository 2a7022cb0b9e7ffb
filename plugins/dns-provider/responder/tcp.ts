import type { Socket } from 'node:net'
import type { TimeShare } from '../../../lib/time-share.ts'
import { answer } from './message.ts'
import type { Zone } from './zone.ts'

/** What answers are made of, and the time that there is for them. */
export interface Answering {
  readonly zones: () => readonly Zone[]
  readonly time: TimeShare
}

/** Milliseconds that a connection may be without a byte in either direction, that it may be open, and that it has to read its last answers. */
const [idle, longestOpen, linger] = [5_000, 30_000, 2_000]
/** Milliseconds until a connection is looked at again while there is no time for it. */
const rest = 20
/** Bytes of a question, and of questions that came and are not answered yet. */
const [longest, mostAhead] = [4_096, 8_192]
/** Questions of one connection, and how many of them are answered before others have their turn. */
const [mostQuestions, inOneTurn] = [64, 8]

/**
 * Answers questions one after another, each behind its length in two bytes (RFC 7766). Whoever does not read its answers, or sends far
 * ahead of them, holds only a bounded queue, and for a bounded time.
 */
export const converse = (socket: Socket, answering: Answering): void => {
  const questions = new Questions(socket, answering)
  // From the connection's start: who sends a byte now and then holds no place longer.
  const late = setTimeout(() => socket.destroy(), longestOpen)
  socket.once('close', () => clearTimeout(late))
  socket.setTimeout(idle, () => socket.destroy())
  socket.on('error', () => undefined)
  socket.on('drain', questions.answer)
  socket.on('data', questions.take)
}

class Questions {
  readonly #socket: Socket
  readonly #answering: Answering
  #got: Buffer = Buffer.alloc(0)
  #answered = 0
  #waiting = false

  constructor(socket: Socket, answering: Answering) {
    this.#socket = socket
    this.#answering = answering
  }
  readonly take = (chunk: Buffer): void => {
    this.#got = this.#got.length === 0 ? chunk : Buffer.concat([this.#got, chunk])
    this.answer()
  }
  readonly answer = (): void => {
    const socket = this.#socket
    if (this.#waiting || socket.destroyed) return
    for (let n = 0; n < inOneTurn && !socket.writableNeedDrain && this.#answering.time.left(); n++) {
      const question = this.#next()
      if (question === undefined) {
        socket.resume()
        return
      }
      if (question === 'wrong' || !this.#reply(question)) {
        socket.destroy()
        return
      }
      this.#answered++
      if (this.#answered >= mostQuestions) {
        this.#end()
        return
      }
    }
    this.#rest()
  }

  /** Reads no more until what came is answered. */
  #rest(): void {
    const socket = this.#socket
    if (this.#got.length > mostAhead) {
      socket.destroy()
      return
    }
    // A copy: the chunk that it was cut from may be much longer.
    this.#got = Buffer.from(this.#got)
    socket.pause()
    // One that does not take its answers is gone on with once it has.
    if (!socket.writableNeedDrain) this.#goOn(this.#answering.time.left() ? 0 : rest)
  }
  #next(): Buffer | 'wrong' | undefined {
    if (this.#got.length < 2) return undefined
    const length = this.#got.readUInt16BE(0)
    if (length > longest) return 'wrong'
    if (this.#got.length < 2 + length) return undefined
    const question = this.#got.subarray(2, 2 + length)
    this.#got = this.#got.subarray(2 + length)
    return question
  }
  #reply(question: Buffer): boolean {
    const { time, zones } = this.#answering
    return time.spend(() => {
      const reply = answer(question, zones(), 'tcp')
      if (!reply) return false
      const before = Buffer.alloc(2)
      before.writeUInt16BE(reply.length)
      this.#socket.write(Buffer.concat([before, reply]))
      return true
    })
  }
  #goOn(delay: number): void {
    this.#waiting = true
    setTimeout(() => {
      this.#waiting = false
      this.answer()
    }, delay)
  }
  /** It may ask again by another connection. */
  #end(): void {
    this.#waiting = true
    this.#got = Buffer.alloc(0)
    this.#socket.off('data', this.take).resume().end()
    // What it sends meanwhile is read, so that it gets its answers, but keeps nothing open.
    const late = setTimeout(() => this.#socket.destroy(), linger)
    this.#socket.once('close', () => clearTimeout(late))
  }
}
