import { IncomingMessage } from 'node:http'

const tiny = 16
const mostTiny = 2_048

/** A request whose body may not come in tiny chunks without end: each costs a thousand times what its bytes do, and hundreds of bytes of memory where it waits. */
export class BoundedRequest extends IncomingMessage {
  #tiny = 0
  #since = 0

  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk !== null && chunk.length < tiny && ++this.#tiny % mostTiny === 1) {
      const now = performance.now()
      if (this.#tiny > 1 && now - this.#since < 1_000) this.socket.destroy()
      this.#since = now
    }
    return super.push(chunk, encoding)
  }
}
