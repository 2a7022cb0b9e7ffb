import { windowFrame } from './write.ts'

/** What may come of bodies before this side has read of them: of one, and of all on a connection. */
export const windows = { stream: 262_144, connection: 1_048_576 } as const

/** One window for what comes in (RFC 9113 section 5.2): it opens again by what was read, in large steps. */
export class Inflow {
  readonly #stream: number
  readonly #size: number
  readonly #say: (frame: Buffer) => void
  #room: number
  #read = 0

  constructor(stream: number, size: number, say: (frame: Buffer) => void) {
    this.#stream = stream
    this.#size = size
    this.#room = size
    this.#say = say
  }
  /** False: more than there was room for. */
  take(bytes: number): boolean {
    this.#room -= bytes
    return this.#room >= 0
  }
  give(bytes: number): void {
    this.#read += bytes
    if (this.#read < this.#size / 2) return
    this.#say(windowFrame(this.#stream, this.#read))
    this.#room += this.#read
    this.#read = 0
  }
}
