import { hash } from 'node:crypto'
import type { Request } from './frame.ts'

/** What was asked, without who waits where for the answer: two requests with one ID and one fingerprint are the same request. */
export const fingerprint = ({ object, method, inputs }: Request): string =>
  hash('sha1', Buffer.concat([Buffer.from(`${object.name}@${object.version}.${method}\n`), ...inputs.flatMap(framed)]), 'base64')

const framed = (input: Uint8Array) => [Buffer.from(`${input.length}:`), input]

const maxRemembered = 4_096
const maxBytes = 4_096

/** The latest answers by request ID, so that a request that arrives again gets the same. */
export const createMemory = () => {
  const answers = new Map<string, { print: string; answer: Buffer | undefined }>()
  return {
    /** `undefined`: an ID that is not known to have asked this. An `answer` of undefined: it was answered, but not kept. */
    recall: (id: string, print: string) => {
      const known = answers.get(id)
      return known?.print === print ? known : undefined
    },
    keep: (id: string, print: string, answer: Buffer | undefined) => {
      answers.delete(id)
      answers.set(id, { print, answer: answer && answer.length <= maxBytes ? answer : undefined })
      if (answers.size > maxRemembered) for (const oldest of answers.keys()) return void answers.delete(oldest)
    },
  }
}
