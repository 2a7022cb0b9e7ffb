import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bytes, parseId, type WorkloadId } from '../../../../core/index.ts'
import { lines } from '../endpoint/protocol.ts'
import type { Answer, Answers, Ask, RelayRoute, RelaySettings, Request } from './protocol.ts'

/** In ms: between two tries to connect, and for an answer where the caller names no signal. */
const reconnect = 100
const limit = 5_000

/** The gateway's side of the relay: says what it is to serve, all of it whenever a connection is new, such as after a crash of either. */
export const connectRelay = (path: string, settings: RelaySettings) => {
  const wanted = new Map<string, RelayRoute>()
  /** Removed and not yet told of. */
  const leaving = new Map<string, AbortController>()
  /** Told as removed, and not yet forgotten there. */
  const told = new Set<string>()
  let restored = false
  let line: Line | undefined
  let online = Promise.withResolvers<Line>()
  const stop = new AbortController()
  stop.signal.addEventListener('abort', () => online.reject(new Error('the gateway stops')), { once: true })
  online.promise.catch(() => undefined)

  const greet = (to: Line) =>
    to.ask(
      { do: 'set', ...(restored && { whole: true }), settings, put: [...wanted.values()], drop: [] },
      AbortSignal.timeout(30_000),
    )
  const stay = async () => {
    while (!stop.signal.aborted) {
      const opened = await open(path, stop.signal).catch(() => undefined)
      if (opened) {
        await greet(opened).then(
          () => {
            line = opened
            online.resolve(opened)
          },
          () => opened.end(),
        )
        await opened.closed
        if (line) online = Promise.withResolvers<Line>()
        online.promise.catch(() => undefined)
        line = undefined
      }
      await sleep(reconnect, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  const settled = stay()

  const connected = async (signal: AbortSignal): Promise<Line> => line ?? within(online.promise, signal)
  const ask = async <K extends Ask['do']>(what: Extract<Ask, { do: K }>, signal: AbortSignal): Promise<Answers[K]> =>
    (await connected(signal)).ask(what, signal)
  /** Where the connection broke, asks again by the next one: for what may be heard twice. */
  const askThrough = async <K extends Ask['do']>(what: Extract<Ask, { do: K }>, signal: AbortSignal): Promise<Answers[K]> => {
    for (;;) {
      const to = await connected(signal)
      try {
        return await to.ask(what, signal)
      } catch (error) {
        if (error !== broken) throw error
        await within(to.closed, signal)
      }
    }
  }
  const stayHere = (id: string) => {
    leaving.get(id)?.abort()
    leaving.delete(id)
    told.delete(id)
  }
  /** Also over a crash of the relay, but not where the workload is there again. */
  const forget = async (id: string, again: AbortSignal): Promise<void> => {
    while (!again.aborted && !stop.signal.aborted) {
      const done = await ask({ do: 'forget', id }, stop.signal).then(
        () => true,
        () => false,
      )
      if (done) break
      await sleep(reconnect, undefined, { signal: stop.signal }).catch(() => undefined)
    }
    if (leaving.get(id)?.signal !== again) return
    leaving.delete(id)
    told.delete(id)
  }

  return {
    /** Connected, and with all that was said. */
    ready: () => line !== undefined,
    /** Brings it to exactly these routes. Also where it rejects, this is what the relay gets once it is there. */
    restore: async (routes: Iterable<RelayRoute>, signal = AbortSignal.timeout(limit)): Promise<void> => {
      wanted.clear()
      for (const route of routes) wanted.set(route.id, route)
      restored = true
      await askThrough({ do: 'set', whole: true, settings, put: [...wanted.values()], drop: [] }, signal)
    },
    /** Resolves when new connections go by it; where it rejects it changed nothing. A dropped route takes none any more; its open ones and its counter stay. */
    apply: async (put: readonly RelayRoute[], drop: readonly string[], signal = AbortSignal.timeout(limit)): Promise<void> => {
      const before = new Map([...drop, ...put.map(({ id }) => id)].map((id) => [id, wanted.get(id)]))
      for (const id of drop) wanted.delete(id)
      for (const route of put) wanted.set(route.id, route)
      if (before.size === 0) return
      try {
        await askThrough({ do: 'set', put, drop }, AbortSignal.any([signal, AbortSignal.timeout(limit)]))
      } catch (error) {
        for (const [id, route] of before) {
          if (route) wanted.set(id, route)
          else wanted.delete(id)
        }
        throw error
      }
    },
    /** As `apply`, where nobody is refused for it: a relay that is away or takes nothing hears of it with all the rest, once it does. */
    note: async (put: readonly RelayRoute[], signal: AbortSignal): Promise<void> => {
      for (const route of put) wanted.set(route.id, route)
      const to = line
      if (!to || put.length === 0) return
      await to.ask({ do: 'set', put, drop: [] }, AbortSignal.any([signal, AbortSignal.timeout(limit)])).catch(() => to.end())
    },
    /** The workload is there, by whatever way: nobody is told any more that it went. */
    returned: stayHere,
    /**
     * Takes the workload away, cuts what is open `drain` ms later, and says the last figure when all is over: not before that time with
     * `linger`. Not where it `returned`. A relay that is away is waited for.
     */
    remove: (id: WorkloadId, drain: number, linger: boolean, gone: (bytes: Bytes) => void): void => {
      wanted.delete(id)
      stayHere(id)
      const left = new AbortController()
      leaving.set(id, left)
      const signal = AbortSignal.any([left.signal, stop.signal])
      const began = performance.now()
      const attempt = async (): Promise<void> => {
        const rest = Math.max(0, drain - (performance.now() - began))
        const { last } = await ask({ do: 'remove', id, drain: rest, linger }, signal)
        if (signal.aborted) return
        if (!last) return void leaving.delete(id)
        told.add(id)
        gone({ request: last[1], response: last[2] })
        await forget(id, left.signal)
      }
      const persist = (): Promise<void> =>
        attempt().catch(async () => {
          if (signal.aborted) return
          await sleep(reconnect, undefined, { signal }).catch(() => undefined)
          return persist()
        })
      void persist()
    },
    read: async (signal: AbortSignal): Promise<{ epoch: string; bytes: Map<WorkloadId, Bytes> }> => {
      const { epoch, bytes } = await askThrough({ do: 'read' }, signal)
      const known = bytes.filter(([id]) => !told.has(id))
      return { epoch, bytes: new Map(known.map(([id, request, response]) => [parseId(id), { request, response }])) }
    },
    close: async (): Promise<void> => {
      stop.abort()
      line?.end()
      await settled
    },
  }
}
export type RelayClient = ReturnType<typeof connectRelay>

interface Line {
  readonly closed: Promise<void>
  ask<K extends Ask['do']>(what: Extract<Ask, { do: K }>, signal: AbortSignal): Promise<Answers[K]>
  end(): void
}

const broken = new Error('the connection to the relay broke')
const away = () => new Error('the relay of passed-through connections does not answer')

const within = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((done, fail) => {
    const late = () => fail(away())
    if (signal.aborted) return late()
    signal.addEventListener('abort', late, { once: true })
    work.then(done, fail).finally(() => signal.removeEventListener('abort', late))
  })

/** One connection. Rejects where nobody listens. */
const open = (path: string, signal: AbortSignal) =>
  new Promise<Line>((resolve, reject) => {
    const asked = new Map<number, PromiseWithResolvers<Answers[keyof Answers]>>()
    let last = 0
    const socket: Socket = connect(path)
    const closed = new Promise<void>((done) => socket.once('close', () => done()))
    const askFor = (what: Ask, until: AbortSignal): Promise<Answers[keyof Answers]> => {
      if (socket.destroyed) return Promise.reject(broken)
      const answer = Promise.withResolvers<Answers[keyof Answers]>()
      last++
      const n = last
      asked.set(n, answer)
      socket.write(`${JSON.stringify({ n, ...what } satisfies Request)}\n`)
      return within(answer.promise, until).finally(() => asked.delete(n))
    }
    const hear = (text: string) => {
      const said: Answer = JSON.parse(text)
      const answer = asked.get(said.n)
      if ('failed' in said) answer?.reject(new Error(`the relay of passed-through connections: ${said.failed}`))
      else answer?.resolve(said.done)
    }
    socket.on('connect', () => resolve({ closed, ask: askFor as Line['ask'], end: () => socket.destroy() }))
    socket.on(
      'data',
      lines(hear, () => socket.destroy()),
    )
    socket.on('error', () => socket.destroy())
    signal.addEventListener('abort', () => socket.destroy(), { once: true })
    socket.once('close', () => {
      reject(away())
      for (const { reject } of asked.values()) reject(broken)
    })
  })
