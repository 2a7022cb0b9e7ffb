import type { Core, WorkloadId } from '../../../core/index.ts'
import type { Unit } from './unit.ts'

/** What a workload's network is bridged by. */
export interface Bridged {
  readonly network: string
  readonly units: readonly Unit[]
}

/** What has to outlive the gateway, so that a workload is bridged by the same ports again without asking anybody. */
export const keeper = (state: Core['state']) => ({
  read: (id: WorkloadId): Bridged | undefined => parse(state.get(id)),
  write: (id: WorkloadId, bridged: Bridged): Promise<void> =>
    state.set(id, bridged.units.length ? Buffer.from(JSON.stringify(bridged)) : null),
})

/** What is damaged counts as never written. */
const parse = (bytes: Uint8Array | undefined): Bridged | undefined => {
  try {
    const found: unknown = bytes && JSON.parse(Buffer.from(bytes).toString())
    return isBridged(found) ? found : undefined
  } catch {
    return undefined
  }
}
const isBridged = (found: unknown): found is Bridged => {
  const units: unknown = typeof found === 'object' && found !== null ? Reflect.get(found, 'units') : undefined
  return Array.isArray(units) && typeof Reflect.get(Object(found), 'network') === 'string' && units.every(isUnit)
}
const isUnit = (unit: unknown): boolean =>
  typeof unit === 'object' &&
  unit !== null &&
  ['name', 'namespace', 'target'].every((key) => typeof Reflect.get(unit, key) === 'string') &&
  Number.isSafeInteger(Reflect.get(unit, 'port'))
