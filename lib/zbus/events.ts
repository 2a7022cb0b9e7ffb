import { type Broker, connect } from './broker.ts'
import { decode } from './msgpack.ts'

const maxUnread = 1_000

/** The decoded messages of a channel until `signal` aborts. The subscription stands when the first `next` resolves or waits. */
export async function* subscribe(broker: Broker, channel: string, signal: AbortSignal): AsyncIterable<unknown> {
  if (signal.aborted) return
  const redis = await connect(broker, `zbus:${channel}`)
  const unread: Buffer[] = []
  let wake = () => {}
  redis.on('messageBuffer', (_, message: Buffer) => {
    if (unread.length === maxUnread) unread.shift()
    unread.push(message)
    wake()
  })
  // A connection that came back stands in no channel until it is told again.
  redis.on('ready', () => redis.subscribe(channel).catch(() => undefined))
  const stop = () => {
    redis.disconnect()
    wake()
  }
  signal.addEventListener('abort', stop)
  redis.connect().catch(() => undefined)
  try {
    while (!signal.aborted) {
      const message = unread.shift()
      if (message) yield* readable(message)
      else
        await new Promise<void>((done) => {
          wake = done
        })
    }
  } finally {
    signal.removeEventListener('abort', stop)
    redis.disconnect()
  }
}

/** What is no MessagePack is no event. */
function* readable(message: Buffer): Iterable<unknown> {
  let event: unknown
  try {
    event = decode(message)
  } catch {
    return
  }
  yield event
}
