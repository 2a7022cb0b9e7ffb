import type { Redis } from 'ioredis'
import { ready } from './broker.ts'
import { decode } from './msgpack.ts'

/** The method's own error. */
export class CallError extends Error {
  override readonly name = 'CallError'
}
/** The request reached no method: no such object or method, or no request at all. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

const waitSeconds = 5

/** Hands every answer on the list to the call that waits for it, until `signal` aborts; one that nobody waits for is dropped. */
export const readAnswers = async (
  redis: Redis,
  list: string,
  calls: ReadonlyMap<string, (answer: Fields) => void>,
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    try {
      await ready(redis, signal)
      const popped = await redis.blpopBuffer(list, waitSeconds)
      const answer = popped ? fields(decoded(popped[1])) : undefined
      const id = answer?.get('ID')
      if (answer && typeof id === 'string') calls.get(id)?.(answer)
    } catch {
      // The connection broke, or the answer was none: the call's own deadline ends it.
    }
  }
}

/** The result that an answer holds, decoded; throws its error. */
export const resultOf = (answer: Fields): unknown => {
  const error = answer.get('Error')
  if (typeof error === 'string') throw new ProtocolError(error)
  const output = fields(answer.get('Output'))
  const message = fields(output?.get('Error'))?.get('Message')
  // As Go's client has it: an empty message is no error.
  if (typeof message === 'string' && message !== '') throw new CallError(message)
  const data = output?.get('Data')
  return data instanceof Uint8Array ? decode(data) : null
}

export type Fields = ReadonlyMap<string, unknown>
/** The fields of a decoded map; undefined for any other value. */
export const fields = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined

const decoded = (payload: Buffer | undefined): unknown => {
  try {
    return payload && decode(payload)
  } catch {
    return undefined
  }
}
