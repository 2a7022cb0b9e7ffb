import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Written } from './journal.ts'
import { type Answer, type Facts, lines, type Request, type Said } from './protocol.ts'

interface Waiting {
  readonly keys: ReadonlySet<string>
  readonly resolve: (refused: ReadonlyMap<string, Error>) => void
  readonly reject: (error: Error) => void
}

/** Parts a request when all are said, in ms between two tries to connect, and in ms until a full disk is tried again. */
const perRequest = 1_000
const reconnect = 100
const again = 2_000
/** ms for what is as good left out. */
const briefly = 1_000

/**
 * The gateway's side: keeps what the endpoint is to have, and sends it what changed; all of it where the two do not agree, such as after a
 * crash of either. Changes that come while a request is under way go together in the next one.
 */
export const connectEndpoint = (path: string, heard: (facts: Facts) => void = () => undefined) => {
  const wanted = new Map<string, string>()
  let known = false
  let whole = false
  let dirty = new Set<string>()
  let waiting: Waiting[] = []
  let facts: Facts | undefined
  let line: Line | undefined
  let running = false
  const stop = new AbortController()

  const met = Promise.withResolvers<void>()
  const hear = (news: Partial<Facts>) => {
    if (!facts) return
    facts = { ...facts, ...news }
    met.resolve()
    heard(facts)
  }
  const stay = async () => {
    while (!stop.signal.aborted) {
      line = await open(path, stop.signal, (handed) => hear(handed)).catch(() => undefined)
      if (line) {
        const agreed = facts?.revision === line.hello.revision
        facts = line.hello
        hear({})
        whole ||= known && !agreed
        void pump(known && agreed)
        await line.closed
        line = undefined
      }
      await sleep(reconnect, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }

  /** `greet`: says that both agree, also without a change. */
  const pump = async (greet = false) => {
    if (running) return
    running = true
    for (let first = greet; line && (first || whole || dirty.size > 0); first = false) {
      const [keys, those, all] = [dirty, waiting, whole]
      dirty = new Set()
      waiting = []
      whole = false
      try {
        const answer = all
          ? await sayAll(line, wanted)
          : await line.ask({ on: facts?.revision ?? '', changes: pick(keys, wanted) })
        hear({ revision: answer.revision })
        if (answer.failed !== undefined) throw new Error(answer.failed)
        if (answer.stale) throw notAgreed
        settle(those, answer)
      } catch (error) {
        whole = true
        if (error === notAgreed || error === gone) waiting.unshift(...those)
        // The next connection goes on; this one may not have told its end yet.
        if (error === gone) break
        if (error !== notAgreed) {
          for (const { reject } of those) reject(error instanceof Error ? error : new Error(String(error)))
          setTimeout(pump, again).unref()
          break
        }
      }
    }
    running = false
  }
  const settled = stay()

  const send = (keys: ReadonlySet<string>, signal?: AbortSignal) =>
    new Promise<ReadonlyMap<string, Error>>((resolve, reject) => {
      const one = { keys, resolve, reject }
      const give = () => {
        waiting = waiting.filter((other) => other !== one)
        reject(new Error('the endpoint that serves Traefik its routes did not take the change in time'))
      }
      if (signal?.aborted) return give()
      signal?.addEventListener('abort', give, { once: true })
      waiting.push(one)
      void pump()
    })

  return {
    facts: () => facts,
    /** The same, as soon as it answered; rejects with the signal. */
    known: (signal: AbortSignal) => Promise.race([met.promise, aborted(signal)]).then(() => facts),
    /** Resolves with what the endpoint refused, by key, once the others are durable there; Traefik gets them with its next poll. */
    apply: (changes: readonly Written[], signal?: AbortSignal) => {
      for (const [key, json] of changes) {
        if (json === null) wanted.delete(key)
        else wanted.set(key, json)
        dirty.add(key)
      }
      return send(new Set(changes.map(([key]) => key)), signal)
    },
    /** Brings the document to exactly this. */
    replace: (all: Iterable<readonly [string, string]>, signal?: AbortSignal) => {
      wanted.clear()
      for (const [key, json] of all) wanted.set(key, json)
      known = true
      whole = true
      return send(new Set(wanted.keys()), signal)
    },
    /** A Traefik that polls now is to end within so many ms: it is not kept waiting. Never rejects. */
    letGo: async (ms: number): Promise<void> => {
      const asked = line?.ask({ letGo: ms, changes: [] }).catch(() => undefined)
      await Promise.race([asked, sleep(briefly, undefined, { ref: false })])
    },
    close: async () => {
      stop.abort()
      line?.end()
      await settled
      for (const { reject } of waiting) reject(new Error('the gateway stops'))
    },
  }
}
export type EndpointClient = ReturnType<typeof connectEndpoint>

const pick = (keys: Iterable<string>, from: ReadonlyMap<string, string>): readonly Written[] =>
  [...keys].map((key) => [key, from.get(key) ?? null])

const sayAll = async (line: Line, all: ReadonlyMap<string, string>): Promise<Answer> => {
  const parts = [...all]
  await line.ask({ whole: 'begin', changes: [] })
  for (let from = 0; from < parts.length; from += perRequest)
    await line.ask({ whole: 'more', changes: parts.slice(from, from + perRequest) })
  return line.ask({ whole: 'end', changes: [] })
}

const settle = (those: readonly Waiting[], { refused = [] }: Answer) => {
  for (const { keys, resolve } of those)
    resolve(new Map(refused.filter(([key]) => keys.has(key)).map(([key, reason]) => [key, new Error(reason)])))
}

/** What was asked may have been done or not: all is to be said again. */
const notAgreed = new Error('the endpoint and the gateway do not agree')
const gone = new Error('the endpoint is not connected')

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })

interface Line {
  readonly hello: Facts
  readonly closed: Promise<void>
  ask(request: Omit<Request, 'id'>): Promise<Answer>
  end(): void
}

/** One connection. Rejects where nobody answers. */
const open = (path: string, signal: AbortSignal, handed: (news: Partial<Facts>) => void) =>
  new Promise<Line>((resolve, reject) => {
    const asked = new Map<number, PromiseWithResolvers<Answer>>()
    let last = 0
    const socket: Socket = connect(path)
    const closed = new Promise<void>((done) => socket.once('close', () => done()))
    const ask = (request: Omit<Request, 'id'>) => {
      const answer = Promise.withResolvers<Answer>()
      if (socket.destroyed) return Promise.reject(gone)
      last++
      asked.set(last, answer)
      socket.write(`${JSON.stringify({ id: last, ...request } satisfies Request)}\n`)
      return answer.promise
    }
    const hear = (text: string) => {
      const said: Said = JSON.parse(text)
      if ('hello' in said) resolve({ hello: said.hello, closed, ask, end: () => socket.destroy() })
      else if ('handed' in said) handed(said.handed)
      else {
        asked.get(said.answer.id)?.resolve(said.answer)
        asked.delete(said.answer.id)
      }
    }
    socket.on(
      'data',
      lines(hear, () => socket.destroy()),
    )
    socket.on('error', () => socket.destroy())
    signal.addEventListener('abort', () => socket.destroy(), { once: true })
    socket.once('close', () => {
      reject(new Error('not connected'))
      for (const { reject } of asked.values()) reject(gone)
    })
  })
