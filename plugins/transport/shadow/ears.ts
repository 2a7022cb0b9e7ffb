import { type Fields, fields, resultOf } from '../../../lib/zbus/answers.ts'
import type { Broker } from '../../../lib/zbus/broker.ts'
import { CallError, decode, type Request, readRequest } from '../../../lib/zbus/index.ts'
import { monitor } from '../../../lib/zbus/monitor.ts'

/** What another module answered, as the gateway module got it. */
export type Said = { readonly value: unknown } | { readonly refused: string }
/** By `keyOf` of the question. */
export type Heard = ReadonlyMap<string, Said>

/** A request to the gateway module that it answered. */
export interface Exchange {
  readonly request: Request
  readonly answer: Said | { readonly failed: string }
  readonly at: Date
  /** What the other modules had said by then. */
  readonly heard: Heard
  /** Counts all requests to the gateway module. */
  readonly number: number
}

interface Waiting {
  readonly request: Request
  readonly number: number | undefined
  readonly since: number
}

const gateways = ['manager@0.0.1', 'gateway@0.0.1']
const others: readonly string[] = ['network.network@0.0.1', 'api-gateway.api-gateway@0.0.1', 'provision.provision@0.0.1']
/** Milliseconds: a Go caller waits for one minute. */
const patience = 180_000
/** The most answers of other modules that are kept. */
const most = 20_000

/**
 * Hears, and hears only, what the callers of the gateway module ask, what it answers, and what the modules that it asks have told it.
 * `told`: what it asks of others beside, such as to take a workload away.
 */
export const openEars = (o: {
  readonly broker: string | Broker
  readonly module: string
  readonly signal: AbortSignal
  exchange(one: Exchange): void
  told(request: Request): void
  listening(trouble: string | undefined): void
}) => {
  const queues = new Map<string, boolean>([
    ...gateways.map((object) => [`${o.module}.${object}`, true] as const),
    ...others.map((queue) => [queue, false] as const),
  ])
  /** By list of answers, then by id of the request. */
  const lists = new Map<string, Map<string, Waiting>>()
  const latest = new Map<string, number>()
  const answers = new Map<string, Said>()
  let frozen: Heard | undefined
  let count = 0
  let unanswered = 0

  const ask = (payload: Buffer, ours: boolean) => {
    const { request } = readRequest(payload)
    if (!request) return
    const number = ours ? ++count : undefined
    if (number !== undefined) latest.set(idOf(request), number)
    else o.told(request)
    const list = lists.get(request.replyTo) ?? new Map<string, Waiting>()
    lists.set(request.replyTo, list)
    list.set(request.id, { request, number, since: performance.now() })
  }
  const answer = (list: Map<string, Waiting>, payload: Buffer) => {
    const read = attempt(() => fields(decode(payload)))
    const id = read?.get('ID')
    const waiting = typeof id === 'string' ? list.get(id) : undefined
    if (!read || !waiting) return
    list.delete(waiting.request.id)
    if (list.size === 0) lists.delete(waiting.request.replyTo)
    const said = saidIn(read)
    const { request, number } = waiting
    if (number !== undefined) {
      frozen ??= new Map(answers)
      return o.exchange({ request, answer: said, at: new Date(), heard: frozen, number })
    }
    if ('failed' in said) return
    frozen = undefined
    const key = keyOfRequest(request)
    // The newest stand last.
    answers.delete(key)
    answers.set(key, said)
    const [oldest] = answers.keys()
    if (answers.size > most && oldest !== undefined) answers.delete(oldest)
  }

  const forget = setInterval(() => {
    const before = performance.now() - patience
    for (const [name, list] of lists) {
      for (const [id, { since, number }] of list) if (since < before && list.delete(id) && number !== undefined) unanswered++
      if (list.size === 0) lists.delete(name)
    }
  }, 10_000).unref()
  o.signal.addEventListener('abort', () => clearInterval(forget), { once: true })

  const done = monitor({
    broker: o.broker,
    signal: o.signal,
    listening: o.listening,
    wanted: (name, key) => name === 'rpush' && (queues.has(key) || lists.has(key)),
    heard: ([, key = Buffer.of(), ...payloads]) => {
      const name = key.toString('latin1')
      const ours = queues.get(name)
      const list = lists.get(name)
      for (const payload of payloads)
        if (ours !== undefined) ask(payload, ours)
        else if (list) answer(list, payload)
    },
  })
  return {
    done,
    /** Of requests that were never answered, or not yet. */
    counts: () => ({ requests: count, unanswered: unanswered + pending(lists).length }),
    /** Whether a later request for the same workload came, so that its file may be of that one. */
    isOvertaken: ({ request, number }: Exchange) => (latest.get(idOf(request)) ?? 0) > number,
    /** The workloads that the gateway module is at now. */
    busy: (): ReadonlySet<string> => new Set(pending(lists).map(({ request }) => idOf(request))),
    heard: (): Heard => new Map(answers),
  }
}

const pending = (lists: ReadonlyMap<string, ReadonlyMap<string, Waiting>>): readonly Waiting[] =>
  [...lists.values()].flatMap((list) => [...list.values()].filter(({ number }) => number !== undefined))

/** Every method but Metrics has the workload's id first. */
const idOf = ({ inputs: [first] }: Request): string => {
  const id = first && attempt(() => decode(first))
  return typeof id === 'string' ? id : ''
}

const saidIn = (answer: Fields): Exchange['answer'] => {
  try {
    return { value: resultOf(answer) }
  } catch (thrown) {
    const text = thrown instanceof Error ? thrown.message : String(thrown)
    return thrown instanceof CallError ? { refused: text } : { failed: text }
  }
}

/** One text for a question, whatever way its numbers are written. */
export const keyOf = (object: string, method: string, args: readonly unknown[]): string =>
  JSON.stringify([object, method, args.map((arg) => (typeof arg === 'bigint' || typeof arg === 'number' ? `${arg}` : arg))])

const keyOfRequest = ({ object, method, inputs }: Request): string =>
  keyOf(
    `${object.name}@${object.version}`,
    method,
    inputs.map((input) => attempt(() => decode(input))),
  )

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}
