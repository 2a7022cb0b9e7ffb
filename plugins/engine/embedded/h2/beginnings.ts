// A request costs as much as eight fields, and its fields: one kilobyte of HTTP/2 names a thousand, which takes a millisecond.
const cost = 8
/** What may be begun in one turn of the event loop. */
export const mostOfAll = 2_048

/** What one connection may begin before others have their turn. */
export const mostOfOne = 512
/** What a request with so many fields costs. */
export const costOf = (fields: number): number => cost + fields

/** Begins some requests of a connection and returns what they cost. */
type Job = () => number

const waiting = new Map<string, Job[]>()
let spent = 0
let scheduled = false
let running = false

/**
 * Runs the job now where few requests were begun in this turn of the event loop, else in one of the next turns. Clients that wait take
 * turns by address, so that many connections of one hold up nobody else. Each connection may wait once.
 */
export const beginInTurn = (client: string, job: Job): void => {
  if (!scheduled) {
    scheduled = true
    setImmediate(nextTurn)
  }
  if (waiting.size === 0 && spent < mostOfAll && !running) {
    run(job)
    return
  }
  const jobs = waiting.get(client)
  if (jobs) jobs.push(job)
  else waiting.set(client, [job])
}

/** What the job adds for itself waits behind all others. */
const run = (job: Job): void => {
  running = true
  try {
    spent += job()
  } finally {
    running = false
  }
}

const nextTurn = (): void => {
  spent = 0
  while (spent < mostOfAll) {
    const [first] = waiting
    if (!first) break
    const [client, jobs] = first
    waiting.delete(client)
    const job = jobs.shift()
    // Who had a turn goes behind all others.
    if (jobs.length > 0) waiting.set(client, jobs)
    if (job) run(job)
  }
  scheduled = waiting.size > 0 || spent > 0
  if (scheduled) setImmediate(nextTurn)
}
