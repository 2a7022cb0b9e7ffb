import type { ErrorCode } from '../../../core/index.ts'

/** What the Go module says where it refuses, and by which code this gateway says the same; of backends by one of two. */
const sentences: readonly (readonly [text: RegExp, code: ErrorCode])[] = [
  [/domain already registered/, 'DOMAIN_TAKEN'],
  [/subdomain of the gateway's managed domain/, 'DOMAIN_MANAGED'],
  [/failed to verify domain dns record/, 'DNS_MISMATCH'],
  [/must be reserved first|must be in Created or GracePeriod state|twin id mismatch/, 'NAME_NOT_RESERVED'],
  [/failed to verify name contract/, 'NEIGHBOUR_UNAVAILABLE'],
  [/points to the node's own public IP address/, 'BACKEND_FORBIDDEN'],
  [/at least one backend is needed|failed to validate backend|failed to extract IP from backend/, 'INVALID_BACKEND'],
  [/invalid workload id/, 'INVALID_ID'],
  [/doesn't support name proxy/, 'NO_DOMAIN'],
  [/gateway is not supported on this node/, 'NO_PUBLIC_CONFIG'],
  [/failed to get user network|failed to ensure local gateway/, 'NETWORK_UNAVAILABLE'],
]

/** Whether a code says what the Go module said. */
export const says = (code: string, text: string): boolean => {
  const wanted = codeOf(text)
  return code === wanted || (wanted === 'INVALID_BACKEND' && code === 'BACKEND_FORBIDDEN')
}

/** The code for what the Go module said; undefined where it says what it never says by its own rules. */
export const codeOf = (text: string): ErrorCode | undefined => sentences.find(([known]) => known.test(text))?.[1]
