import { goProgram } from './go.ts'
import { run } from './process.ts'

/** What `bench/clock` is to do; see there. */
interface Plan {
  readonly method: string
  readonly url: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  readonly socket?: string
  readonly port: number
  readonly plain?: number
  readonly host: string
  readonly standing?: string
  readonly folder?: string
  readonly warmUp: number
  readonly times: number
}
/** In milliseconds. `kept` and `fresh`: from the Set to the first answer, over a connection that was open and over a new one. */
export interface Samples {
  readonly kept: readonly number[] | null
  readonly fresh: readonly number[]
  readonly set: readonly number[]
  readonly standing: readonly number[]
  readonly sync: readonly number[]
}

/** Times from a Set to the first served request by a client that costs next to nothing itself. */
export const clock = async (plan: Plan, say: (line: string) => void): Promise<Samples> =>
  JSON.parse(await run(await goProgram('clock', '.', say), [], { input: JSON.stringify(plan) }))
