import { mostQueued, type Stream } from './stream.ts'

/** Holds up the backends of a connection that has all it may hold in memory: else each of its streams would bring one read more. */
export class HoldUp {
  readonly #streams: { all(): Iterable<Stream> }
  #active = false
  /** Bytes, since the last backend went on. */
  #left = 0

  constructor(streams: { all(): Iterable<Stream> }) {
    this.#streams = streams
  }
  /** The connection holds so many more bytes; negative: fewer. */
  changed(bytes: number, full: boolean): void {
    if (bytes > 0) {
      if (full && !this.#active) this.#begin()
    } else if (this.#active) this.#goOn(-bytes, full)
  }
  #begin(): void {
    this.#active = true
    this.#left = 0
    for (const stream of this.#streams.all()) stream.hold()
  }
  // For what leaves of a stream that one goes on by itself, for as much again one of those that wait: none waits for ever for those
  // that the client does not read. When there is room, all go on.
  #goOn(left: number, full: boolean): void {
    this.#active = full
    this.#left += left
    if (full && this.#left < mostQueued) return
    this.#left = 0
    for (const stream of this.#streams.all()) if (stream.goOn() && full) return
  }
}
