import { setTimeout as sleep } from 'node:timers/promises'
import { type AcmeClient, json } from './client.ts'
import { retryAfter } from './problem.ts'

/** Asks until the status is none of these, no sooner than Retry-After says (RFC 8555 section 7.5.1). */
export const settled = async (
  client: AcmeClient,
  url: string,
  first: Record<string, unknown>,
  waiting: readonly string[],
  signal: AbortSignal,
): Promise<Record<string, unknown>> => {
  let now = first
  for (let wait = 250; typeof now.status === 'string' && waiting.includes(now.status); wait = Math.min(wait * 1.5, 5_000)) {
    // What was known before the proof was given is old.
    const answer = await client.post(url, undefined, signal)
    now = json(url, answer)
    if (typeof now.status === 'string' && !waiting.includes(now.status)) break
    const asked = retryAfter(answer.field('retry-after'), Date.now(), 300_000)
    await sleep(asked ? Math.max(asked.getTime() - Date.now(), Math.min(wait, 1_000)) : wait, undefined, { signal })
  }
  return now
}
