import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { Redis } from 'ioredis'
import { type Fields, fields, resultOf } from '../../lib/zbus/answers.ts'
import { CallError, decode, encode, encodeRequest } from '../../lib/zbus/index.ts'
import type { Caller, Run } from './caller.ts'
import { after, anyStep, pick, type Step } from './operation.ts'
import { whereabouts } from './whereabouts.ts'

const object = { name: 'gateway', version: '0.0.1' }
const queue = 'gateway.gateway@0.0.1'
/** Seconds without a kill after which an answer is late, and after which it will not come. */
const [late, never] = [60, 900]

/** Sends one to three requests for a workload at once, as callers that do not wait do, and keeps every answer that ever comes. */
export const zbusCaller = (run: Run & { readonly path: string }): Caller => {
  const { chance, ids, backends, model, violated, disturbed } = run
  const mailbox = openMailbox(run)

  /** The answer; `unsent` where Redis broke before it had the request. */
  const ask = async (id: string, step: Step): Promise<Fields | 'unsent' | 'lost'> => {
    const args = step === 'delete' ? [id] : [id, step.name, [step.backend], false]
    const method = step === 'delete' ? 'DeleteNamedProxy' : 'SetNamedProxy'
    const name = randomUUID()
    const answer = mailbox.expect(name)
    const request = encodeRequest({ id: name, inputs: args.map(encode), object, replyTo: mailbox.list, method })
    const sent = await mailbox.send(Buffer.from(request)).catch(() => mailbox.holds(name))
    if (!sent) return 'unsent'
    for (let calm = 0; ; ) {
      const found = await Promise.race([answer, wait(1_000)])
      if (found) return found
      calm = disturbed() ? 0 : calm + 1
      // A machine that is short of time is no loss: what lies on a list will be answered.
      if (calm >= late && calm % 10 === 0 && !(await mailbox.holds(name))) return 'lost'
      if (calm >= never) return 'lost'
      if (calm === late) run.late()
    }
  }

  return {
    async turn() {
      const id = pick(chance, ids)
      const steps = Array.from({ length: 1 + Math.floor(chance() * 3) }, () => anyStep(chance, id, backends))
      const asked = steps.map((step) => ask(id, step))
      for (const [place, step] of steps.entries()) {
        const answer = await asked[place]
        if (answer === 'lost') {
          violated(`no answer to request ${place + 1} of ${steps.length} for ${id}; Redis has ${await mailbox.lists()}`)
          model.maybe(id, after(step))
        } else if (answer !== 'unsent' && answer && accepted(answer, run)) model.is(id, after(step))
      }
    },
    answered: mailbox.answered,
    close: mailbox.close,
  }
}

/** The list where a caller's answers lie, read without losing one when Redis goes. */
const openMailbox = ({ path, violated }: Pick<Run, 'violated'> & { readonly path: string }) => {
  const list = `torture.${randomUUID()}`
  const fetched = `${list}.fetched`
  const options = {
    path,
    protocol: 2,
    // A command that the connection broke under fails, and is not sent again by chance.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => 50,
  } as const
  const [sender, reader] = [new Redis(options), new Redis(options)]
  for (const redis of [sender, reader]) redis.on('error', () => undefined)
  const answers = new Map<string, Fields>()
  const waiting = new Map<string, (answer: Fields) => void>()
  let closed = false

  const take = (payload: Uint8Array): void => {
    const answer = fields(decode(payload))
    const id = String(answer?.get('ID'))
    if (!answer) return
    const before = answers.get(id)
    if (before && !isDeepStrictEqual(before, answer)) violated(`request ${id} was answered twice, and differently`)
    answers.set(id, answer)
    waiting.get(id)?.(answer)
    waiting.delete(id)
  }
  const read = async () => {
    while (!closed)
      try {
        await reader.blmove(list, fetched, 'LEFT', 'RIGHT', 1)
        const found = await reader.lrangeBuffer(fetched, 0, -1)
        for (const payload of found) take(payload)
        if (found.length > 0) await reader.ltrim(fetched, found.length, -1)
      } catch {
        await wait(10) // Redis is away
      }
  }
  const reading = read()

  return {
    list,
    send: async (request: Buffer) => (await sender.rpush(queue, request)) > 0,
    expect: (id: string) => new Promise<Fields>((resolve) => waiting.set(id, resolve)),
    /** Whether Redis has the request or its answer, or its answer came. */
    async holds(id: string): Promise<boolean> {
      for (;;)
        try {
          return (await whereabouts(sender, id, queue, [list, fetched])) !== undefined || answers.has(id)
        } catch {
          await wait(50) // Redis is away
        }
    },
    /** What waits where, for who looks into a request that was not answered. */
    lists: async (): Promise<string> => {
      const names = (await sender.keys('*')).filter((name) => !name.startsWith('torture.'))
      const lengths = names.map(async (name) => `${name}: ${await sender.llen(name).catch(() => 'no list')}`)
      return (await Promise.all(lengths)).join(', ') || 'nothing'
    },
    answered: () => answers.size,
    async close() {
      closed = true
      for (const redis of [sender, reader]) redis.disconnect()
      await reading
    },
  }
}

/** False where it was refused, and nothing changed: a host that another workload holds is a reason, and a deadline that was over. */
const accepted = (answer: Fields, { violated, timedOut }: Run): boolean => {
  try {
    resultOf(answer)
    return true
  } catch (error) {
    const said = error instanceof CallError ? error.message : ''
    if (said.includes('TIMEOUT')) timedOut()
    else if (!said.includes('DOMAIN_TAKEN')) violated(`refused: ${error}`)
    return false
  }
}
