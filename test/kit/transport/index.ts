import { describe, it } from 'vitest'
import { badInput } from './bad-input.ts'
import type { TransportUnderTest } from './caller.ts'
import { transportCases } from './cases.ts'
import { openStand } from './stand.ts'

export { type Asked, type Caller, Refused, type Stand, type TransportUnderTest } from './caller.ts'

/** The conformance suite of transports: the same operations, answers and refusals, however they travel. For vitest. */
export const describeTransport = (name: string, transport: TransportUnderTest): void => {
  const { cannot = {}, inexpressible = [] } = transport
  const unknown = [
    ...Object.keys(cannot).filter((sentence) => !(sentence in transportCases)),
    ...inexpressible.filter((row) => !(row in badInput)),
  ]
  if (unknown.length > 0) throw new Error(`describeTransport('${name}'): no such cases: ${unknown.join('; ')}`)
  const open = openStand(transport)
  describe(name, () => {
    for (const [sentence, run] of Object.entries(transportCases)) {
      const reason = cannot[sentence]
      if (reason === undefined) it(sentence, () => run(open), limit)
      else it.fails(`${sentence} (cannot: ${reason})`, () => run(open), limit)
    }
  })
}

/** Milliseconds that a case may take. */
const limit = 60_000
