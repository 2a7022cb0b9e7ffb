import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { Redis } from 'ioredis'
import { type Fields, fields, resultOf } from '../../lib/zbus/answers.ts'
import { CallError, decode, encode, encodeRequest } from '../../lib/zbus/index.ts'
import type { Caller, Run } from './caller.ts'
import { after, anyStep, pick, type Step } from './operation.ts'

const object = { name: 'gateway', version: '0.0.1' }
const queue = 'gateway.gateway@0.0.1'

/** Sends one to three requests for a workload at once, as callers that do not wait do, and keeps every answer that ever comes. */
export const zbusCaller = ({
  path,
  chance,
  ids,
  backends,
  model,
  violated,
  disturbed,
}: Run & { readonly path: string }): Caller => {
  const replyTo = `torture.${randomUUID()}`
  const options = { path, protocol: 2, maxRetriesPerRequest: null, retryStrategy: () => 50 } as const
  const [sender, reader] = [new Redis(options), new Redis(options)]
  for (const redis of [sender, reader]) redis.on('error', () => undefined)
  const answers = new Map<string, Fields>()
  const waiting = new Map<string, (answer: Fields) => void>()
  let closed = false
  let answered = 0

  const take = (payload: Uint8Array): void => {
    const answer = fields(decode(payload))
    const id = String(answer?.get('ID'))
    if (!answer) return
    const before = answers.get(id)
    if (before && !isDeepStrictEqual(before, answer)) violated(`request ${id} was answered twice, and differently`)
    answers.set(id, answer)
    answered++
    waiting.get(id)?.(answer)
    waiting.delete(id)
  }
  const read = async () => {
    while (!closed) {
      const popped = await reader.blpopBuffer(replyTo, 1).catch(() => undefined)
      if (popped) take(popped[1])
    }
  }
  const reading = read()

  const ask = async (id: string, step: Step): Promise<Fields | undefined> => {
    const args = step === 'delete' ? [id] : [id, step.name, [step.backend], false]
    const method = step === 'delete' ? 'DeleteNamedProxy' : 'SetNamedProxy'
    const name = randomUUID()
    const request = encodeRequest({ id: name, inputs: args.map(encode), object, replyTo, method })
    const answer = new Promise<Fields>((resolve) => waiting.set(name, resolve))
    const lost = Promise.withResolvers<undefined>()
    let calm = 0
    const late = setInterval(() => {
      calm = disturbed() ? 0 : calm + 1
      if (calm >= 60) lost.resolve(undefined)
    }, 1_000)
    await sender.rpush(queue, Buffer.from(request))
    return Promise.race([answer, lost.promise]).finally(() => clearInterval(late))
  }

  return {
    async turn() {
      const id = pick(chance, ids)
      const steps = Array.from({ length: 1 + Math.floor(chance() * 3) }, () => anyStep(chance, id, backends))
      const asked = steps.map((step) => ask(id, step))
      for (const [place, step] of steps.entries()) {
        const answer = await asked[place]
        if (!answer) {
          violated(
            `no answer, a minute after the last kill, to request ${place + 1} of ${steps.length} for ${id}; Redis has ${await lists(sender)}`,
          )
          model.maybe(id, after(step))
        } else if (accepted(answer, violated)) model.is(id, after(step))
      }
    },
    answered: () => answered,
    async close() {
      closed = true
      await reading
      for (const redis of [sender, reader]) redis.disconnect()
    },
  }
}

/** False where it was refused, and nothing changed: only a host that another workload holds is a reason. */
const accepted = (answer: Fields, violated: (what: string) => void): boolean => {
  try {
    resultOf(answer)
    return true
  } catch (error) {
    if (!(error instanceof CallError && error.message.includes('DOMAIN_TAKEN'))) violated(`refused: ${error}`)
    return false
  }
}

/** What waits where, for who looks into a request that was not answered. */
const lists = async (redis: Redis): Promise<string> => {
  const names = (await redis.keys('*')).filter((name) => !name.startsWith('torture.'))
  const lengths = names.map(async (name) => `${name}: ${await redis.llen(name).catch(() => 'no list')}`)
  return (await Promise.all(lengths)).join(', ') || 'nothing'
}
