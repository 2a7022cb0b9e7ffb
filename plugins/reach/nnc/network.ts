import { GatewayError, type Neighbours, type WorkloadId } from '../../../core/index.ts'
import { shown } from '../../../lib/shown.ts'
import { twinOf } from '../../../lib/workload-id.ts'
import { fields } from '../../../lib/zbus/answers.ts'
import { networkId } from './network-id.ts'

const object = 'network@0.0.1'

/**
 * The network namespace on this node of the network of a workload's tenant, as networkd says. Rejects with NETWORK_UNAVAILABLE,
 * NEIGHBOUR_UNAVAILABLE or, where the id names no tenant, INVALID_ID.
 */
export const namespaceOf = async (
  neighbours: Neighbours,
  { id: workload, network }: { readonly id: WorkloadId; readonly network: string },
  options: { readonly signal: AbortSignal; readonly timeout: number },
): Promise<string> => {
  const twin = twinOf(workload)
  if (twin === undefined)
    throw new GatewayError('INVALID_ID', `invalid workload id '${workload}': it names no twin`, 'the id is twin-contract-name')
  const id = networkId(twin, network)
  const found = await neighbours.call('network', object, 'GetNet', [id], options)
  if ('refused' in found)
    throw unavailable(
      network,
      `failed to get user network: ${found.refused}`,
      `deploy the network ${network} of twin ${twin} on this node`,
    )
  if (!(fields(found.value)?.get('IP') instanceof Uint8Array)) throw useless('GetNet', 'it is no network')
  const named = await neighbours.call('network', object, 'Namespace', [id], options)
  if ('refused' in named) throw useless('Namespace', named.refused)
  const name = named.value
  if (typeof name !== 'string' || !/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$/.test(name))
    throw useless('Namespace', `'${shown(String(name))}' is no name of a network namespace`)
  return name
}

export const unavailable = (network: string, why: string, fix: string): GatewayError =>
  new GatewayError('NETWORK_UNAVAILABLE', `the private network '${network}' cannot be reached: ${why}`, fix)

const useless = (method: string, why: string): GatewayError =>
  new GatewayError(
    'NEIGHBOUR_UNAVAILABLE',
    `the module network of this node gave no usable answer to ${method}: ${why}`,
    'see what is wrong with networkd; then ask again',
  )
