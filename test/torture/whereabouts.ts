import type { Redis } from 'ioredis'

/**
 * On which list of Redis a request or its answer lies, by its ID; undefined: on none. It only ever moves on, from the queue to the taken
 * requests to the list of its answer, so it is looked for in that order: what moved meanwhile is found further on.
 */
export const whereabouts = async (redis: Redis, id: string, queue: string, answers: readonly string[]) => {
  const taken = await redis.keys('gateway.taken.*')
  for (const list of [queue, ...taken, ...answers]) {
    // The guard of a queue is no list.
    const items = await redis.lrangeBuffer(list, 0, -1).catch((error: Error) => {
      if (error.message.startsWith('WRONGTYPE')) return []
      throw error
    })
    if (items.some((item) => item.includes(id))) return list
  }
  return undefined
}
