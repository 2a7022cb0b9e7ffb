import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface Source {
  /** Changes when the body does. */
  revision(): string
  body(): readonly Buffer[]
  /** False as long as the first answer is to wait for the gateway. */
  ready(): boolean
  /** Who polled has read all of that revision. */
  handed(revision: string): void
}
interface Poller {
  /** What it has; where it did not get all of that its connection is gone, and it with it. */
  revision?: string
  /** When it was sent a changed answer, while it reads that, and when it may have another one. */
  sent: number
  rest: number
  /** Until then it is not kept waiting: it is asked to end. */
  leaving: number
}
interface Held {
  readonly answer: () => void
  readonly poller: Poller
  timer: NodeJS.Timeout
  /** The timer is for something new. */
  due: boolean
}

/** Changes within so many ms of the first go out together. */
const gather = 5
/** Of the time that Traefik took to read a changed document it gets this much to build it before the next. */
const breath = 0.5
const longestRest = 5_000
/** ms that one which is asked to end waits for an answer: as it ends Traefik waits for its poll, and gives up in disorder after 10 s. */
const shortly = 250

/**
 * Traefik's http provider knows no If-None-Match and takes a 304 for an error: an unchanged answer is held until there is a change, and
 * shortly before the other side gives up (`hold` ms) the same body goes out again. What one connection was sent is what its Traefik has.
 */
export const startPolls = (source: Source, token: string, hold: number) => {
  const pollers = new Map<Socket, Poller>()
  const held = new Set<Held>()
  const server: Server = createServer({ keepAliveTimeout: 0, requestTimeout: 30_000 }, (request, response) => {
    if (!isOurs(request, token)) return void response.writeHead(403).end()
    if (request.method !== 'GET') return void response.writeHead(405).end()
    take(pollerOf(request.socket), response)
  })

  const pollerOf = (socket: Socket): Poller => {
    const known = pollers.get(socket)
    if (known) return known
    const poller = { sent: 0, rest: 0, leaving: 0 }
    pollers.set(socket, poller)
    socket.once('close', () => pollers.delete(socket))
    return poller
  }
  const waitOf = ({ leaving }: Poller): number => (performance.now() < leaving ? shortly : hold)

  const take = (poller: Poller, response: ServerResponse) => {
    const now = performance.now()
    if (poller.sent > 0) poller.rest = now + Math.min(longestRest, (now - poller.sent) * breath)
    poller.sent = 0
    const answer = () => {
      clearTimeout(one.timer)
      held.delete(one)
      send(poller, response)
    }
    const one: Held = { answer, poller, timer: setTimeout(answer, waitOf(poller)), due: false }
    held.add(one)
    response.once('close', () => {
      clearTimeout(one.timer)
      held.delete(one)
    })
    release(one, 0)
  }

  const send = (poller: Poller, response: ServerResponse) => {
    const revision = source.revision()
    const body = source.body()
    // Now: its next poll may be here before this one is known to be read.
    if (poller.revision !== revision) poller.sent = performance.now()
    poller.revision = revision
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': body.reduce((sum, { length }) => sum + length, 0),
    })
    response.cork()
    for (const bytes of body) response.write(bytes)
    response.uncork()
    response.end(() => source.handed(revision))
  }

  /** Answers now or at its time, where there is something new. */
  const release = (one: Held, wait: number) => {
    if (one.due || !source.ready() || one.poller.revision === source.revision()) return
    const rest = Math.max(wait, one.poller.rest - performance.now())
    if (rest <= 0) return one.answer()
    clearTimeout(one.timer)
    one.due = true
    one.timer = setTimeout(one.answer, Math.min(rest, waitOf(one.poller)))
  }

  return {
    server,
    /** The document is another, or ready now. */
    changed: () => {
      for (const one of held) release(one, gather)
    },
    /** Keeps those who poll now waiting no more, for so many ms. */
    letGo: (ms: number) => {
      for (const poller of pollers.values()) poller.leaving = performance.now() + ms
      for (const one of held) one.answer()
    },
    /** Answers whoever waits, and takes no more. */
    close: async () => {
      const closed = new Promise((done) => server.close(done))
      for (const one of held) one.answer()
      server.closeIdleConnections()
      setTimeout(() => server.closeAllConnections(), 500).unref()
      await closed
    },
  }
}

/** Keys are in the document: who cannot read the token's file gets nothing of it. */
const isOurs = (request: IncomingMessage, token: string): boolean => {
  const given = Buffer.from(request.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${token}`)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
