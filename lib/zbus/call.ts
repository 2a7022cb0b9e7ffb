import { type ObjectId, objectName, type Partly, type Request, type Response } from './frame.ts'
import { decode, encode, encodeFloats } from './msgpack.ts'

export interface Method {
  /**
   * Carries a call out. Each argument is decoded; one that is no MessagePack, or nested too deep, is `undefined` (nil is null).
   * `undefined` is a method without a result, a list may stand for several results. What it throws is answered as the method's error,
   * by its message.
   */
  call(args: readonly unknown[]): unknown
  /** The result beside an error, so that callers who decode it all the same can. Default: none. */
  readonly empty?: unknown
  /** Every number of the result is a float64. */
  readonly floats?: boolean
  /** Whom a call is for: where more wait than run, these take turns. Only the first argument is at hand. Default: nobody. */
  tenant?(first: unknown): string
  /** Changes nothing, so a repeated request is carried out anew instead of answered from memory. */
  readonly pure?: boolean
}
export type Methods = Readonly<Record<string, Method>>

export interface Objects {
  add(object: ObjectId, methods: Methods): void
  ids(): readonly ObjectId[]
  find(request: Partly): Method | undefined
  /** Whom the call is for. */
  tenant(request: Request): string
  /** Calls the method; without one says in zbus's words what there is not. */
  answer(request: Request, method: Method | undefined): Promise<Response>
  /** To a request that cannot be carried out, in the form that its callers can read. */
  refuse(request: Partly, why: string): Response
}

export const createObjects = (): Objects => {
  const objects = new Map<string, { id: ObjectId; methods: ReadonlyMap<string, Method> }>()
  const find = ({ object, method = '' }: Partly) => object && objects.get(objectName(object))?.methods.get(method)
  return {
    add: (id, methods) => {
      if (objects.has(objectName(id))) throw new Error(`object ${objectName(id)} is registered already`)
      objects.set(objectName(id), { id, methods: new Map(Object.entries(methods)) })
    },
    find,
    tenant: (request) => {
      const [first] = request.inputs
      return (first && find(request)?.tenant?.(argument(first))) ?? ''
    },
    ids: () => [...objects.values()].map(({ id }) => id),
    answer: async (request, method) => {
      if (method) return carryOut(method, request)
      return { id: request.id, data: null, error: objects.has(objectName(request.object)) ? 'not a function' : 'unknown object' }
    },
    refuse: (request, why) => {
      const { id = '' } = request
      const method = find(request)
      return method ? { id, data: emptyOf(method), failed: why } : { id, data: null, error: why }
    },
  }
}

const carryOut = async (method: Method, { id, inputs }: Request): Promise<Response> => {
  try {
    const result = await method.call(inputs.map(argument))
    return { id, data: result === undefined ? null : (method.floats ? encodeFloats : encode)(result) }
  } catch (error) {
    // An empty message would read as success.
    const failed = error instanceof Error ? error.message || error.name : String(error)
    return { id, data: emptyOf(method), failed: failed || 'failed' }
  }
}

const emptyOf = ({ empty }: Method) => (empty === undefined ? null : encode(empty))

const argument = (input: Uint8Array): unknown => {
  try {
    return decode(input)
  } catch {
    return undefined
  }
}
