import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Logged } from '../../../core/index.ts'
import type { Ask, Context, Env } from './context.ts'
import { badRequest } from './problem.ts'
import { httpsPort } from './public-port.ts'
import { add, readQuery } from './routes.ts'
import { EventsQuery } from './schemas.ts'
import { sharesOf } from './shares.ts'
import { viewEvent } from './view.ts'

/** Event streams of one token, and of all callers over TCP where there are no tokens. */
const maxStreams = 128
const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' }

const text = { type: 'string' as const }
const sent = { type: 'object' as const, properties: { id: text, event: text, data: text } }

/** Server-sent events as the HTML standard defines them (section 9.2); `id` is the event's number, which a reader resumes from. */
export const events = (app: OpenAPIHono<Env>, context: Context): void => {
  const { gateway, settings } = context
  const sse = {
    description: 'Events, each with its number, its kind, and itself as one JSON object',
    content: { 'text/event-stream': { schema: sent } },
  }
  const shares = sharesOf({
    all: Number.POSITIVE_INFINITY,
    each: maxStreams,
    what: 'event streams are open',
    fix: 'close one, or try again later',
  })

  add(
    app,
    'get',
    '/v1/events',
    {
      tags: ['events'],
      summary: 'Follow what happens, resumable by Last-Event-ID or ?since',
      request: { query: EventsQuery },
      responses: { 200: sse },
    },
    (c) => {
      const { since, follow } = readQuery(c, EventsQuery)
      const from = lastSeen(c) ?? since
      // Nobody would read a stream behind it, nor end it.
      if (c.req.raw.method === 'HEAD') return new Response(null, { headers })
      const caller = c.get('caller')
      const giveBack = caller && shares.take(caller)
      const ended = new AbortController()
      const close = () => {
        giveBack?.()
        ended.abort()
      }
      c.req.raw.signal.addEventListener('abort', close, { once: true })
      const signal = AbortSignal.any([ended.signal, context.signal])
      const source = gateway.events(from, signal)[Symbol.asyncIterator]()
      const port = httpsPort(gateway)
      const stream = follow === 'false' ? kept(source, port) : followed(source, port, settings.heartbeat * 1000)
      return new Response(toStream(stream, close), { headers })
    },
  )
}

/** A browser that reconnects sends the last id it saw; that goes before `since` in the URL it first opened. */
const lastSeen = (c: Ask): number | undefined => {
  const header = c.req.header('last-event-id')
  if (header === undefined || header === '') return undefined
  if (/^\d{1,15}$/.test(header)) return Number(header)
  throw badRequest('Last-Event-ID is no event number', 'send the last id that you saw')
}

async function* followed(source: AsyncIterator<Logged>, port: number, heartbeat: number): AsyncGenerator<string> {
  let next = source.next()
  let last: number | undefined
  yield 'retry: 1000\n\n'
  for (;;) {
    const result = await orIdle(next, heartbeat)
    if (result === 'idle') yield ': still here\n\n'
    else if (result.done) return
    else {
      const { seq, at } = result.value
      // The log ran past a reader that was slower than it keeps.
      if (last !== undefined && seq > last + 1) yield format({ type: 'gap', seq: seq - 1, at }, port)
      yield format(result.value, port)
      last = seq
      next = source.next()
    }
  }
}

/** What the log has now: it answers kept events at once, and waits only for new ones. */
async function* kept(source: AsyncIterator<Logged>, port: number): AsyncGenerator<string> {
  for (;;) {
    const result = await orIdle(source.next(), 0)
    if (result === 'idle' || result.done) return
    yield format(result.value, port)
  }
}

/** `idle` where nothing came within the milliseconds. */
const orIdle = async <T>(next: Promise<T>, milliseconds: number): Promise<T | 'idle'> => {
  const { promise, resolve } = Promise.withResolvers<'idle'>()
  const timer = setTimeout(resolve, milliseconds, 'idle')
  try {
    return await Promise.race([next, promise])
  } finally {
    clearTimeout(timer)
  }
}

const format = (event: Logged, port: number): string =>
  `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(viewEvent(event, port))}\n\n`

/** Pulled by the reader, so a slow one holds no more than one event here. */
const toStream = (source: AsyncGenerator<string>, close: () => void): ReadableStream<Uint8Array> => {
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await source.next().catch((error: unknown) => {
        close()
        throw error
      })
      if (!done) return controller.enqueue(encoder.encode(value))
      close()
      controller.close()
    },
    cancel: close,
  })
}
