import type { FaultProxy } from '../kit/index.ts'

const problem = (type: string, status: number, headers = {}) => ({
  status,
  headers: { 'content-type': 'application/problem+json', 'replay-nonce': 'abc', ...headers },
  body: JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail: `${type} of the test` }),
})
const halfJson = { status: 200, headers: { 'content-type': 'application/json' }, body: '{"status":"pend' }
const ordering =
  (fault: ReturnType<FaultProxy['fault']>): FaultProxy['fault'] =>
  ({ path }) =>
    path === '/order-plz' ? fault : undefined

/** What is wrong with a CA, and by which code a try of the gateway fails then. */
export interface Wrong {
  readonly code: string
  readonly how?: 'refuses' | 'impostor'
  readonly fault?: FaultProxy['fault']
  /** Milliseconds that the CA wants before the next try. */
  readonly least?: number
}
export const wrongs: readonly Wrong[] = [
  { code: 'CA_UNREACHABLE', how: 'refuses' },
  { code: 'CA_UNREACHABLE', fault: () => ({ status: 503 }) },
  { code: 'CA_LIMIT', fault: ordering(problem('rateLimited', 429, { 'retry-after': '259200' })), least: 259_200_000 },
  { code: 'CA_UNREACHABLE', how: 'impostor' },
  { code: 'CA_UNREACHABLE', fault: ordering('half') },
  { code: 'CA_UNREACHABLE', fault: ordering(problem('badNonce', 400)) },
  { code: 'CA_UNREACHABLE', fault: () => 'cut' },
  { code: 'CA_UNREACHABLE', fault: ordering(halfJson) },
]
/** Half a minute of real time goes by until an answer is given up. */
export const hangs: Wrong = { code: 'CA_UNREACHABLE', fault: ordering('hang') }
