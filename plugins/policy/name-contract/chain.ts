import { GatewayError, type Neighbours } from '../../../core/index.ts'
import { twinOf } from '../../../lib/workload-id.ts'
import { fields } from '../../../lib/zbus/answers.ts'

export interface Claim {
  readonly name: string
  /** Decimal; undefined where the workload id names none. */
  readonly twin: string | undefined
}
/** What a workload claims: the name below the gateway's domain; undefined where it claims none. */
export const claimOf = ({ id, host, zone }: { id: string; host: string; zone?: string | undefined }): Claim | undefined =>
  zone === undefined ? undefined : { name: host.slice(0, -zone.length - 1), twin: twinOf(id) }
/** Why the twin does not hold the name, in the words of the Go module; undefined where it does. Rejects where the chain cannot say. */
export type Held = (claim: Claim, signal: AbortSignal) => Promise<string | undefined>

const object = 'api-gateway@0.0.1'
const notFound = 1n

/** Asks the chain through the node's own gateway to it. Its answers carry a code, which decides; the text beside it only explains. */
export const chain = (neighbours: Neighbours, timeout: number): Held => {
  const ask = async (method: string, arg: unknown, signal: AbortSignal): Promise<Answer> => {
    const answer = await neighbours.call('api-gateway', object, method, [arg], { signal, timeout })
    if ('refused' in answer) throw cannotSay(method, answer.refused)
    return read(method, answer.value)
  }
  return async ({ name, twin }, signal) => {
    const registered = await ask('GetContractIDByNameRegistration', name, signal)
    if (registered.code === notFound) return 'a name contract with the given name must be reserved first'
    const id = integer(orThrow('GetContractIDByNameRegistration', registered))
    if (id === undefined) throw cannotSay('GetContractIDByNameRegistration', 'its answer has no contract id')
    const found = await ask('GetContract', id, signal)
    // The name is registered, so this is the chain contradicting itself and no fault of the tenant's.
    if (found.code === notFound)
      throw cannotSay('GetContract', `contract by name returned ${id}, but retrieving it results in 'not found' error`)
    const contract = fields(orThrow('GetContract', found))
    const state = fields(contract?.get('State'))
    const owner = integer(contract?.get('TwinID'))
    if (!state || owner === undefined) throw cannotSay('GetContract', 'its answer is no contract')
    if (state.get('IsCreated') !== true && state.get('IsGracePeriod') !== true)
      return 'the name contract must be in Created or GracePeriod state'
    return twin !== undefined && BigInt(twin) === owner ? undefined : 'twin id mismatch'
  }
}

interface Answer {
  readonly value: unknown
  readonly code: bigint
  readonly text: string
}

/** `[value, {Err: text or nil, Code}]`. */
const read = (method: string, answer: unknown): Answer => {
  const list: readonly unknown[] = Array.isArray(answer) ? answer : []
  const error = fields(list[1])
  const code = integer(error?.get('Code'))
  if (list.length !== 2 || code === undefined) throw cannotSay(method, 'its answer is not of the form that it should have')
  const text = error?.get('Err')
  return { value: list[0], code, text: typeof text === 'string' ? text : `code ${code}` }
}
const orThrow = (method: string, { value, code, text }: Answer): unknown => {
  if (code === 0n) return value
  throw cannotSay(method, text)
}

const integer = (value: unknown): bigint | undefined =>
  typeof value === 'bigint' ? value : Number.isSafeInteger(value) ? BigInt(Number(value)) : undefined

const cannotSay = (method: string, why: string): GatewayError =>
  new GatewayError(
    'NEIGHBOUR_UNAVAILABLE',
    `failed to verify name contract: the chain gave no usable answer to ${method}: ${why}`,
    'ask again when the chain answers',
  )
