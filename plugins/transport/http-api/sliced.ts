import { setImmediate as nextTurn } from 'node:timers/promises'

const slice = 1000

/**
 * A body of many lines, made a slice at a time: in between the process does its other work, which is to carry traffic.
 * A reader that does not read holds it back.
 */
export const sliced = (...parts: readonly (string | Iterable<string>)[]): ReadableStream<Uint8Array> => {
  const lines = texts(parts)
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = lines.next()
      if (done) return controller.close()
      controller.enqueue(encoder.encode(value))
      await nextTurn()
    },
  })
}

function* texts(parts: readonly (string | Iterable<string>)[]): Generator<string> {
  for (const part of parts) {
    if (typeof part === 'string') {
      yield part
      continue
    }
    let text = ''
    let count = 0
    for (const line of part) {
      text += line
      if (++count % slice === 0) {
        yield text
        text = ''
      }
    }
    if (text) yield text
  }
}
