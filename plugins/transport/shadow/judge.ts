import type { GatewayError, Operation, Route, SetOp } from '../../../core/index.ts'
import { shown } from '../../../lib/shown.ts'
import { unheard } from './facts.ts'
import type { Line } from './report.ts'
import { codeOf, says } from './sentences.ts'

/** What came of an operation: for the Go module its text, for this gateway its route or its error. */
export interface Theirs {
  readonly fqdn?: string
  /** Why it refused. */
  readonly refused?: string
}
export interface Ours {
  readonly route?: Route | undefined
  readonly error?: GatewayError
  /** What was in place before. */
  readonly before?: Route | undefined
}
export type Judged = Pick<Line, 'verdict' | 'theirs' | 'ours'>

/** Compares the two answers to one operation. */
export const judge = (op: Operation, theirs: Theirs, ours: Ours): Judged => {
  const said = { theirs: sayTheirs(theirs), ours: sayOurs(ours) }
  const { refused } = theirs
  const { error } = ours
  if (error?.problems.some(({ code }) => code === unheard) && codeOf(refused ?? '') !== unheard) {
    // Where something else stands against it in both, what could not be known makes no difference.
    const known = refused !== undefined && error.problems.some(({ code }) => says(code, refused))
    return { ...said, verdict: known ? 'same' : 'unknown' }
  }
  if (refused === undefined) return { ...said, verdict: error ? 'different' : answers(op, theirs, ours) }
  // Whether an nnc of ours would have bridged it is only known where it is started.
  if (!error && /failed to ensure local gateway/.test(refused)) return { ...said, verdict: 'unknown' }
  if (!error) return { ...said, verdict: 'backends' in op && decided(op, refused, ours) ? 'better' : 'different' }
  // What no rule of its own says, such as that a disk is full, says nothing of ours.
  const same = codeOf(refused) === undefined || error.problems.some(({ code }) => says(code, refused))
  return { ...said, verdict: same ? 'same' : 'different' }
}

const answers = (op: Operation, { fqdn }: Theirs, { route }: Ours): Judged['verdict'] => {
  if (op.do !== 'set-name' || fqdn === route?.host) return 'same'
  // One form of a name: lower case.
  return fqdn?.toLowerCase() === route?.host ? 'better' : 'different'
}

/** What this gateway takes on purpose where the Go module refuses (docs/zos-parity.md). */
const decided = (op: SetOp, refused: string, { before }: Ours): boolean => {
  switch (codeOf(refused)) {
    case 'DOMAIN_TAKEN':
      // The same workload, set again.
      return before !== undefined && before.id === op.id
    case 'INVALID_BACKEND':
      return op.backends.some((backend) => backend.startsWith('https://'))
    case 'DOMAIN_MANAGED':
      // Its text ends in the domain, and no label does: this gateway's own rule let it through.
      return true
    default:
      return false
  }
}

const sayTheirs = ({ fqdn, refused }: Theirs): string =>
  refused === undefined ? (fqdn ? `serves ${shown(fqdn)}` : 'does it') : `refuses: ${shown(refused)}`
const sayOurs = ({ route, error }: Ours): string => {
  if (error) return `refuses: ${error.problems.map(({ code, message }) => `${code}: ${message}`).join('; ')}`
  return route ? `serves ${route.host}` : 'does it'
}
