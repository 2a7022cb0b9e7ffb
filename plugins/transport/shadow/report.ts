import { appendFile } from 'node:fs/promises'
import { reason } from '../../../core/index.ts'

/**
 * `same`: a caller sees no difference. `better`: this gateway takes what the Go module refused, by a rule that is decided. `different`:
 * somebody would see it. `unknown`: it could not be compared.
 */
type Verdict = 'same' | 'better' | 'different' | 'unknown'

/** One comparison. */
export interface Line {
  readonly at: Date
  /** The operation; `left`, `file`: what was found in the folders at the start and the end; `decommission`: what provisiond would be told. */
  readonly about: 'set-name' | 'set-fqdn' | 'delete' | 'left' | 'file' | 'decommission' | 'hearing'
  readonly id: string
  readonly verdict: Verdict
  /** What the Go module did, and what this gateway would have done. */
  readonly theirs: string
  readonly ours: string
}
export interface Summary extends Readonly<Record<Verdict, number>> {
  readonly requests: number
  /** Asked and never answered, or not yet. */
  readonly unanswered: number
  /** Of Metrics, which are not compared: the bytes are counted by whoever carries them. */
  readonly metrics: number
  readonly workloads: number
  readonly since: Date
  readonly until: Date
}

/** Counts what is told, and appends it to a file of one JSON object a line. */
export const openReport = (file: string, told: (line: Line) => void, failed: (why: string) => void) => {
  const counts: Record<Verdict, number> = { same: 0, better: 0, different: 0, unknown: 0 }
  const since = new Date()
  let last: Promise<void> = Promise.resolve()
  const keep = (value: object) => {
    last = last
      .then(() => appendFile(file, `${JSON.stringify(value)}\n`, { mode: 0o600 }))
      .catch((error) => failed(reason(error)))
  }
  return {
    tell(line: Omit<Line, 'at'> & { readonly at?: Date }): void {
      const whole: Line = { at: new Date(), ...line }
      counts[whole.verdict]++
      keep(whole)
      told(whole)
    },
    async close(more: Pick<Summary, 'requests' | 'unanswered' | 'metrics' | 'workloads'>): Promise<Summary> {
      const summary = { ...counts, ...more, since, until: new Date() }
      keep({ summary })
      await last
      return summary
    },
  }
}
export type Report = ReturnType<typeof openReport>
