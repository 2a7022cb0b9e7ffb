import { fairQueue } from '../fair-queue.ts'
import type { Objects } from './call.ts'
import { encodeResponse, type ObjectId, objectName, type Partly, type Request, readRequest } from './frame.ts'
import { createIntake } from './intake.ts'
import { createMemory } from './memory.ts'
import type { Letter, Outbox } from './outbox.ts'
import { encodeStatus, type Status, statusObject } from './status.ts'
import { maxRequest, type Oversized } from './taker.ts'
import type { Workers } from './workers.ts'

export interface DeskOptions {
  readonly objects: Objects
  readonly workers: Workers<Request>
  readonly outbox: Outbox
  readonly status: () => Status
  /** The list of dead letters. */
  readonly dead: string
  /** Told of every list that an answer was left on. */
  readonly answered: (list: string) => void
  /** Aborts when nothing more is taken. */
  readonly signal: AbortSignal
}

/** A request as it was taken. `left`: told once it is off the list of taken requests. */
interface Copy {
  readonly payload: Buffer
  readonly replyTo: string
  readonly left: () => void
}
/** A request that waits or runs; copies beyond the first are the same request, taken again. */
interface Job {
  readonly key: string
  readonly request: Request
  readonly copies: Copy[]
  readonly tenant: string
  /** `once` where another life of this server may have answered already. */
  readonly how: 'push' | 'once'
}

/** Requests of one queue that are taken before they can run. */
const queued = 20_000
/** What is kept of a dead letter, in bytes. */
const deadBytes = 4_096

/** Where taken requests wait in order for a worker, and answers are made. */
export const createDesk = ({ objects, workers, outbox, status, dead, answered, signal }: DeskOptions) => {
  const memory = createMemory()
  const waiting = fairQueue<Job>()
  /** How many workers each tenant has. One may not have all: somebody else's next request finds one free. */
  const held = new Map<string, number>()
  const most = Math.max(1, workers.size - Math.ceil(workers.size / 8))
  /** Those that wait or run, by all the bytes of the request. */
  const jobs = new Map<string, Job>()
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
    const worker = workers.begin(job.request)
    const { tenant } = job
    held.set(tenant, (held.get(tenant) ?? 0) + 1)
    const method = objects.find(job.request)
    const answer = encodeResponse(await objects.answer(job.request, method))
    workers.end(worker)
    const left = (held.get(tenant) ?? 1) - 1
    if (left > 0) held.set(tenant, left)
    else held.delete(tenant)
    jobs.delete(job.key)
    memory.keep(job.key, method?.pure ? undefined : answer)
    // Copies have one list to answer on: it gets one answer.
    for (const [at, copy] of job.copies.entries()) send(copy, at > 0 ? 'drop' : stopped ? 'once' : job.how, answer)
    pump()
  }
  const pump = () => {
    while (!stopped && workers.free > 0) {
      const job = waiting.next(({ tenant }) => (held.get(tenant) ?? 0) < most)
      if (!job) return
      void run(job)
    }
  }

  const accept = (request: Request, copy: Copy, recovered: boolean) => {
    const key = copy.payload.toString('latin1')
    const same = jobs.get(key)
    if (same || memory.knows(key)) counts.repeated++
    if (same) return void same.copies.push(copy)
    const answer = memory.recall(key)
    if (answer) return send(copy, 'again', answer)
    const tenant = objects.tenant(request)
    const job: Job = { key, request, copies: [copy], tenant, how: recovered || memory.knows(key) ? 'once' : 'push' }
    jobs.set(key, job)
    waiting.push(tenant, job)
    pump()
  }

  const refuse = (partial: Partly, copy: Copy, why: string, head: Buffer) => {
    if (partial.id !== undefined && copy.replyTo !== '') return send(copy, 'push', encodeResponse(objects.refuse(partial, why)))
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
      send(copy, 'push', encodeResponse({ id: read.request.id, data: encodeStatus(status()) }))
    else accept(read.request, copy, from === 'recovered')
  }

  return {
    /** How many taken requests are not known to be off the list. */
    get size() {
      return copies.size
    },
    stats: () => counts,
    /** Where the requests of one object's queue come in. Far more than can run, so that nobody waits behind all that another sent. */
    intake: (object: ObjectId) =>
      isStatus(object)
        ? createIntake({ most: 16, working: () => 0, signal }, (taken, left) => admit(taken, left, 'status'))
        : createIntake({ most: Math.max(workers.size, queued), working: () => copies.size, signal }, (taken, left) =>
            admit(taken, left, 'queue'),
          ),
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
      await Promise.race([workers.idle(), late])
    },
  }
}

const isStatus = (object: ObjectId) => objectName(object) === objectName(statusObject)
const nothing = Buffer.alloc(0)
const tooLarge = (size: number) =>
  `TOO_LARGE: the request has ${size} bytes, more than the ${maxRequest} that are taken (ask for less at once)`
