import { ConnectionError, errorCode } from './codes.ts'
import type { Stream } from './stream.ts'

/** How many are remembered once they are over: later frames of them mean one thing or another. */
const remembered = 256

/** The streams of one connection: those that are open, and how the last ones ended. */
export class Streams {
  /** The last one that the client began. */
  highest = 0
  readonly #open = new Map<number, Stream>()
  /** Whether frames may still be on their way here, behind a reset of ours. */
  readonly #past = new Map<number, boolean>()

  get size(): number {
    return this.#open.size
  }
  get(id: number): Stream | undefined {
    return this.#open.get(id)
  }
  all(): Iterable<Stream> {
    return this.#open.values()
  }
  add(stream: Stream): void {
    this.#open.set(stream.id, stream)
  }
  /** It is over. `crossing`: more of it may come all the same. */
  end(id: number, crossing: boolean): void {
    this.#open.delete(id)
    if (this.#past.has(id)) return
    this.#past.set(id, crossing)
    if (this.#past.size <= remembered) return
    for (const [oldest] of this.#past) {
      this.#past.delete(oldest)
      break
    }
  }
  /** Empties it; says what was in it. */
  clear(): readonly Stream[] {
    const all = [...this.#open.values()]
    this.#open.clear()
    return all
  }

  /** The stream that more comes on; `undefined`: what comes crossed a reset of ours. What comes behind its end is an error (RFC 9113 section 5.1). */
  live(id: number, begins: boolean): Stream | undefined {
    const stream = this.#open.get(id)
    if (stream?.open) return stream
    const crossing = this.#past.get(id)
    if (!stream && crossing) return undefined
    if (id > this.highest || (!stream && crossing === undefined && begins))
      throw new ConnectionError(errorCode.protocol, 'a frame of a stream that never began')
    throw new ConnectionError(errorCode.streamClosed, 'a frame behind the end of a stream')
  }
}
