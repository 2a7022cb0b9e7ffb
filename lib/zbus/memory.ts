/** At least so many are remembered, and at most twice as many. */
const most = 4_096
/** Of a request, and of an answer: larger ones are not remembered. */
const maxBytes = 2_048

/**
 * The latest answers, so that a request that arrives again, byte for byte, gets the same one. Requests are told apart by all their bytes:
 * an ID that a careless caller uses for everything never brings up the answer to something else.
 */
export const createMemory = () => {
  let young = new Map<string, Buffer | undefined>()
  let old: typeof young = new Map()
  return {
    knows: (key: string): boolean => young.has(key) || old.has(key),
    /** Undefined also where the request is known and its answer was not kept. */
    recall: (key: string): Buffer | undefined => young.get(key) ?? old.get(key),
    keep: (key: string, answer: Buffer | undefined): void => {
      if (key.length > maxBytes) return
      young.set(key, answer && answer.length <= maxBytes ? answer : undefined)
      if (young.size < most) return
      old = young
      young = new Map()
    },
  }
}
