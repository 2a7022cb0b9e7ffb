/** At least so many are remembered, and at most twice as many. */
const most = 4_096
/** Of a request, and of an answer: larger ones are not remembered. */
const maxBytes = 2_048

/**
 * The latest answers, so that a request that arrives again, byte for byte, gets the same one. Requests are told apart by all their bytes:
 * an ID that a careless caller uses for everything never brings up the answer to something else.
 */
export const createMemory = () => {
  // As text: a small Buffer keeps the whole block that Node cut it from, of up to 64 KiB.
  let young = new Map<string, string | undefined>()
  let old: typeof young = new Map()
  return {
    knows: (key: string): boolean => young.has(key) || old.has(key),
    /** Undefined also where the request is known and its answer was not kept. */
    recall: (key: string): Buffer | undefined => {
      const answer = young.get(key) ?? old.get(key)
      return answer === undefined ? undefined : Buffer.from(answer, 'latin1')
    },
    keep: (key: string, answer: Buffer | undefined): void => {
      if (key.length > maxBytes) return
      young.set(key, answer && answer.length <= maxBytes ? answer.toString('latin1') : undefined)
      if (young.size < most) return
      old = young
      young = new Map()
    },
  }
}
