import { type Broker, brokerOf, connect, ready } from './broker.ts'
import { createObjects, type Methods } from './call.ts'
import { createDesk } from './desk.ts'
import { type ObjectId, objectName, type Request } from './frame.ts'
import { asBuffer, encode } from './msgpack.ts'
import { createOutbox } from './outbox.ts'
import { type Status, statusObject, statusOf } from './status.ts'
import { runTaker } from './taker.ts'
import { createUnfetched } from './unfetched.ts'
import { createWorkers } from './workers.ts'

export interface ServerOptions {
  /** `unix:///path` or `tcp://[password@]host:port`, or what `parseBroker` makes of it. */
  readonly broker: string | Broker
  /** The first word of every queue: requests for `object@version` wait in `module.object@version`. */
  readonly module: string
  /**
   * Names this server to itself over restarts: requests that it took and did not answer are carried out when it starts again under the
   * same name. Two that run at once need two names.
   */
  readonly instance: string
  /** How many calls run at once. Default 64. */
  readonly workers?: number
  /** Told when the broker is lost (with the reason) and found again (without). */
  readonly onTrouble?: (reason: string | undefined) => void
}

export interface ServerStats {
  readonly answered: number
  /** Of these, requests that came a second time. */
  readonly repeated: number
  /** Requests that an earlier run had taken, or that were on their way when a connection broke. */
  readonly recovered: number
  /** Answers that nobody fetched within 5 s. */
  readonly unfetched: number
  /** What was no request and had nobody to answer to: it lies in the dead-letter list. */
  readonly deadLetters: number
}

export interface Server {
  /** From now on answers requests for the object; before or after `start`. Throws where it is registered already. */
  register(object: ObjectId, methods: Methods): void
  /** Publishes an event of an object. Rejects while the broker is away: events are not kept. */
  publish(object: ObjectId, event: string, value: unknown): Promise<void>
  start(): void
  status(): Status
  stats(): ServerStats
  /** Takes no more, lets what runs end for up to `drainMs` (20,000), leaves what has not begun to the next start. */
  close(drainMs?: number): Promise<void>
}

/** Serves objects over zbus. Needs no broker to start: it tries until there is one. */
export const createServer = async (options: ServerOptions): Promise<Server> => {
  const { module, instance } = options
  const broker = brokerOf(options.broker)
  const objects = createObjects()
  const workers = createWorkers<Request>(options.workers ?? 64)
  const stopping = new AbortController()
  const closing = new AbortController()
  const control = await connect(broker, `zbus:${module}`)
  const taken = `${module}.taken.${instance}`
  const trouble = createTrouble(options.onTrouble)
  const outbox = createOutbox(control, taken, closing.signal, (error) => trouble('answers', error))
  const unfetched = createUnfetched(control)
  const status = () => statusOf(objects.ids(), workers)
  const desk = createDesk({
    objects,
    workers,
    outbox,
    status,
    dead: `${module}.deadletter`,
    answered: unfetched.watch,
    signal: stopping.signal,
  })
  const takers: Promise<void>[] = []
  let started = false

  control.on('close', () => {
    if (!stopping.signal.aborted) trouble('broker', 'the connection is closed')
  })
  control.on('error', (error) => trouble('broker', error))
  control.on('ready', () => trouble('broker', undefined))
  const recover = async () => {
    await ready(control, stopping.signal)
    desk.recover(await control.lrangeBuffer(taken, 0, -1))
  }
  // A request can be taken on a connection that is then cut off: it is on the list, and nobody here knows.
  const sweep = setInterval(() => {
    if (control.status !== 'ready') return
    // Where it fails, the connection did, and is looked after elsewhere.
    const look = control.llen(taken).then((length) => (length > desk.size ? recover() : undefined))
    look.catch(() => undefined)
  }, 5_000).unref()

  const take = (object: ObjectId) => {
    const queue = `${module}.${objectName(object)}`
    const { room, admit } = desk.intake(object)
    takers.push(
      runTaker({
        broker,
        queue,
        taken,
        guard: `${taken}.guard`,
        signal: stopping.signal,
        room,
        admit,
        recover,
        trouble: (error) => trouble(queue, error),
      }),
    )
  }

  return {
    register: (object, methods) => {
      if (objectName(object) === objectName(statusObject)) throw new Error(`object ${objectName(object)} is zbus's own`)
      objects.add(object, methods)
      if (started) take(object)
    },
    publish: async (object, event, value) => {
      await control.publish(`${module}.${objectName(object)}.${event}`, asBuffer(encode(value)))
    },
    start: () => {
      if (started) return
      started = true
      control.connect().catch(() => undefined)
      for (const object of [...objects.ids(), statusObject]) take(object)
    },
    status,
    stats: () => ({ ...desk.stats(), unfetched: unfetched.count }),
    close: async (drainMs = 20_000) => {
      clearInterval(sweep)
      stopping.abort()
      const late = AbortSignal.timeout(drainMs)
      await desk.drain(late)
      await outbox.empty(AbortSignal.any([late, AbortSignal.timeout(3_000)]))
      await Promise.all(takers)
      unfetched.close()
      closing.abort()
      control.disconnect()
    },
  }
}

/** Tells of trouble once, whichever parts are in it, and again when its reason changes or it is over. */
const createTrouble = (tell: ServerOptions['onTrouble']) => {
  const parts = new Map<string, string>()
  let told: string | undefined
  return (part: string, error: unknown): void => {
    if (error === undefined) parts.delete(part)
    else parts.set(part, reasonOf(error))
    const reason = parts.values().next().value
    if (reason !== told) tell?.(reason)
    told = reason
  }
}

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  // How the Redis client says that the connection broke before the answer came.
  return error.name === 'MaxRetriesPerRequestError' ? 'the connection broke' : error.message
}
