import type { Duplex } from 'node:stream'

/** Who has body bytes to send. */
export interface Sender {
  /** Adds frames of at most `most` payload bytes to `out` and says how many bytes those were; `undefined`: nothing can go for now. */
  give(out: Buffer[], most: number): number | undefined
  /** There is more that could go. */
  readonly pending: boolean
  /** So many payload bytes have left. */
  left(bytes: number): void
}

/** Bytes of one write: what waits behind it is not yet framed, so that everyone gets a turn. */
const most = 65_536

/** What goes out on one connection: frames in order, and bodies by turns as far as the flow control of the peer allows. */
export class Outbox {
  /** What the connection's window still takes (RFC 9113 section 6.9). */
  window = 65_535
  readonly #socket: Duplex
  readonly #sent: (bytes: number) => void
  readonly #held: (bytes: number) => void
  #frames: Buffer[] = []
  #bytes = 0
  #controls = 0
  readonly #senders = new Set<Sender>()
  #scheduled = false
  #writing = false
  #last: (() => void) | undefined
  readonly #flush = () => this.#write()

  /** `sent` is told of the body bytes of each write; `held` of bytes of frames that wait, and, negative, of those that have left. */
  constructor(socket: Duplex, sent: (bytes: number) => void, held: (bytes: number) => void) {
    this.#socket = socket
    this.#sent = sent
    this.#held = held
  }
  /** Bytes of frames that wait: what the peer asked for, and does not read. */
  get waiting(): number {
    return this.#bytes
  }

  /** Frames among them that carry no answer. */
  get controls(): number {
    return this.#controls
  }

  frame(frame: Buffer): void {
    this.#frames.push(frame)
    this.#bytes += frame.length
    this.#held(frame.length)
    this.schedule()
  }
  /** A frame that carries no answer: RST_STREAM, WINDOW_UPDATE, and what acknowledges. */
  control(frame: Buffer): void {
    this.#controls++
    this.frame(frame)
  }
  body(sender: Sender): void {
    this.#senders.add(sender)
    this.schedule()
  }
  drop(sender: Sender): void {
    this.#senders.delete(sender)
  }
  /** Writes at the end of this turn of the event loop, all that came in it together. */
  schedule(): void {
    if (this.#scheduled || this.#writing) return
    this.#scheduled = true
    setImmediate(this.#flush)
  }
  /** `last` is called when everything has left, or never. */
  end(last: () => void): void {
    this.#last = last
    this.schedule()
  }

  #write(): void {
    this.#scheduled = false
    if (this.#writing || this.#socket.destroyed) return
    const out = this.#frames
    const held = this.#bytes
    this.#frames = []
    this.#bytes = 0
    this.#controls = 0
    const sent = this.#senders.size > 0 ? this.#bodies(out) : undefined
    if (out.length === 0) {
      this.#last?.()
      return
    }
    this.#writing = true
    this.#socket.write(out.length === 1 ? out[0] : Buffer.concat(out), () => {
      this.#writing = false
      if (held > 0) this.#held(-held)
      if (sent) for (const [sender, bytes] of sent) sender.left(bytes)
      if (this.#frames.length > 0 || this.#senders.size > 0 || this.#last) this.schedule()
    })
  }
  #bodies(out: Buffer[]): Map<Sender, number> {
    const sent = new Map<Sender, number>()
    let left = most
    // Who had its turn goes behind all others, in the next write too.
    for (const sender of this.#senders) {
      if (left <= 0) break
      this.#senders.delete(sender)
      const bytes = sender.give(out, Math.min(left, this.window))
      if (bytes === undefined) continue
      if (sender.pending) this.#senders.add(sender)
      this.window -= bytes
      left -= bytes
      sent.set(sender, (sent.get(sender) ?? 0) + bytes)
    }
    if (left < most) this.#sent(most - left)
    return sent
  }
}
