import { parseId } from '../core/parse.ts'
import type { ConnectionFlags } from './connection.ts'
import { connectionFlags } from './connection.ts'

/** The words and flags that set-fqdn, set-name and plan share. */
export const wantedFlags = {
  passthrough: { type: 'boolean', description: 'The backend ends TLS, not the gateway' },
  network: { type: 'string', valueHint: 'name', description: 'Private network of the tenant in which the backends live' },
} as const
export const setFlags = {
  ...wantedFlags,
  wait: { type: 'boolean', description: 'Return once clients are served, with the certificate' },
  ...connectionFlags,
} as const
export const idWord = {
  type: 'positional',
  required: true,
  description: 'Workload id, such as 40-1976-shop (twin-contract-name)',
} as const
export const backendWord = {
  type: 'positional',
  required: true,
  description: 'http://ip[:port] or https://ip:port; with --passthrough ip:port. Several share the load',
} as const

export interface Given extends ConnectionFlags {
  readonly id: string
  readonly passthrough?: boolean | undefined
  readonly network?: string | undefined
}
/** The body of a PUT. */
export const bodyOf = ({ passthrough, network }: Given, kind: 'fqdn' | 'name', host: string, backends: readonly string[]) => ({
  [kind]: host,
  backends,
  ...(passthrough && { passthrough }),
  ...(network !== undefined && { network }),
})
/** Throws INVALID_ID where the id is one that no path can carry: URLs resolve dots away. All others are the gateway's to judge. */
export const pathOf = (id: string): string => {
  if (/^\.{0,2}$/.test(id)) parseId(id)
  return `/v1/workloads/${encodeURIComponent(id)}`
}
