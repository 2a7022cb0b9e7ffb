import { createBench } from './bench.ts'
import type { Objects } from './call.ts'
import { encodeResponse, type ObjectId, objectName, type Partly, type Request, type Response, readRequest } from './frame.ts'
import { createMemory, fingerprint } from './memory.ts'
import type { Letter, Outbox } from './outbox.ts'
import { encodeStatus, type Status, statusObject } from './status.ts'
import { maxRequest, type Oversized } from './taker.ts'
import type { Workers } from './workers.ts'

export interface DeskOptions {
  readonly objects: Objects
  readonly workers: Workers
  readonly outbox: Outbox
  readonly status: () => Status
  /** The list of dead letters. */
  readonly dead: string
  /** Told of every list that an answer was left on. */
  readonly answered: (list: string) => void
}

/** A request as it was taken. `left`: told once it is off the list of taken requests. */
interface Copy {
  readonly payload: Buffer
  readonly replyTo: string
  readonly left: () => void
}
/** A request that waits or runs; copies beyond the first are the same request, taken again. */
interface Job {
  readonly request: Request
  readonly print: string
  readonly copies: Copy[]
  /** `once` where another life of this server may have answered already. */
  readonly how: 'push' | 'once'
}

/** What is kept of a dead letter, in bytes. */
const deadBytes = 4_096

/** Where taken requests wait in order for a worker, and answers are made. */
export const createDesk = ({ objects, workers, outbox, status, dead, answered }: DeskOptions) => {
  const memory = createMemory()
  const waiting: Job[] = []
  /** By request ID, those that wait or run. */
  const jobs = new Map<string, Job>()
  const running = new Set<Promise<void>>()
  const copies = new Set<Copy>()
  const counts = { answered: 0, repeated: 0, recovered: 0, deadLetters: 0 }
  let stopped = false

  const send = (copy: Copy, how: Letter['how'], answer: Buffer, to = copy.replyTo) => {
    const sent = () => {
      copies.delete(copy)
      copy.left()
      if (how === 'dead' || how === 'drop') return
      counts.answered++
      answered(to)
    }
    outbox.add({ payload: copy.payload, how, to, answer, sent })
  }

  const run = async (job: Job) => {
    const { request } = job
    const worker = workers.begin(() => `[${objectName(request.object)}].${request.method}()`)
    const answer = encoded(await objects.answer(request))
    workers.end(worker)
    if (jobs.get(request.id) === job) jobs.delete(request.id)
    const pure = objects.method(request.object, request.method)?.pure
    if (request.id !== '') memory.keep(request.id, job.print, pure ? undefined : answer)
    const told = new Set<string>()
    for (const copy of job.copies) {
      send(copy, told.has(copy.replyTo) ? 'drop' : stopped ? 'once' : job.how, answer)
      told.add(copy.replyTo)
    }
    pump()
  }
  const pump = () => {
    while (!stopped && workers.free > 0) {
      const job = waiting.shift()
      if (!job) return
      const ends = run(job)
      running.add(ends)
      void ends.finally(() => running.delete(ends))
    }
  }

  const accept = (request: Request, copy: Copy, recovered: boolean) => {
    const { id } = request
    const print = id === '' ? '' : fingerprint(request)
    const same = jobs.get(id)
    if (same?.print === print) {
      counts.repeated++
      same.copies.push(copy)
      return
    }
    const known = id === '' ? undefined : memory.recall(id, print)
    if (known) counts.repeated++
    if (known?.answer) return send(copy, 'again', known.answer)
    const job: Job = { request, print, copies: [copy], how: known || recovered ? 'once' : 'push' }
    if (id !== '') jobs.set(id, job)
    waiting.push(job)
    pump()
  }

  const refuse = (partial: Partly, copy: Copy, why: string, head: Buffer) => {
    if (partial.id !== undefined && copy.replyTo !== '') return send(copy, 'push', encoded(objects.refuse(partial, why)))
    counts.deadLetters++
    send(copy, 'dead', head.subarray(0, deadBytes), dead)
  }

  const admit = (taken: Buffer | Oversized, left: () => void, from: 'queue' | 'status' | 'recovered') => {
    const read = readRequest(taken)
    const { replyTo = '' } = read.request ?? read.partial
    // The oversized were never put on the list of taken requests.
    const copy: Copy = { payload: 'size' in taken ? nothing : taken, replyTo, left }
    copies.add(copy)
    if ('size' in taken) refuse(read.request ?? read.partial, copy, tooLarge(taken.size), taken.head)
    else if (!read.request) refuse(read.partial, copy, `BAD_REQUEST: malformed request: ${read.problem}`, taken)
    else if (from === 'status' || (from === 'recovered' && isStatus(read.request.object)))
      send(copy, 'push', encoded({ id: read.request.id, data: encodeStatus(status()) }))
    else accept(read.request, copy, from === 'recovered')
  }

  return {
    /** How many taken requests are not known to be off the list. */
    get size() {
      return copies.size
    },
    stats: () => counts,
    /** The place of one object's queue. */
    bench: (object: ObjectId) =>
      isStatus(object)
        ? createBench({ most: 16, busy: () => false }, (taken, left) => admit(taken, left, 'status'))
        : createBench({ most: workers.size, busy: () => copies.size > 0 }, (taken, left) => admit(taken, left, 'queue')),
    /** Admits, in their order, those of the list of taken requests that are not here. */
    recover: (list: readonly Buffer[]) => {
      const here = new Map<string, number>()
      for (const { payload } of copies) here.set(payload.toString('latin1'), (here.get(payload.toString('latin1')) ?? 0) + 1)
      for (const taken of list) {
        const key = taken.toString('latin1')
        const count = here.get(key) ?? 0
        here.set(key, count - 1)
        if (count > 0) continue
        counts.recovered++
        admit(taken, () => undefined, 'recovered')
      }
    },
    /** Begins nothing more; resolves when what runs has ended, or `signal` aborts. */
    drain: async (signal: AbortSignal) => {
      stopped = true
      const late = new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }))
      await Promise.race([Promise.all(running), late])
    },
  }
}

const isStatus = (object: ObjectId) => objectName(object) === objectName(statusObject)
const nothing = Buffer.alloc(0)
const encoded = (response: Response): Buffer => {
  const bytes = encodeResponse(response)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
const tooLarge = (size: number) =>
  `TOO_LARGE: the request has ${size} bytes, more than the ${maxRequest} that are taken (ask for less at once)`
