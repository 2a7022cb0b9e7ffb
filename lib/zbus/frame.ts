import { encode, maxDepth } from './msgpack.ts'
import { type Ends, Reader } from './reader.ts'
import { Writer } from './writer.ts'

export interface ObjectId {
  readonly name: string
  readonly version: string
}
/** As queues and channels spell it. */
export const objectName = ({ name, version }: ObjectId): string => (version === '' ? name : `${name}@${version}`)

export interface Request {
  /** Names the request; the answer carries it back. */
  readonly id: string
  /** One MessagePack value per argument. */
  readonly inputs: readonly Uint8Array[]
  readonly object: ObjectId
  /** The list that the answer is pushed on. */
  readonly replyTo: string
  readonly method: string
}

export interface Response {
  readonly id: string
  /** MessagePack of the result; null where a method has none. */
  readonly data: Uint8Array | null
  /** What the method answered instead of doing it. */
  readonly failed?: string
  /** What kept the request from reaching a method. A Go client panics on it. */
  readonly error?: string
}

/** What could be read of a request. */
export type Partly = { readonly [K in keyof Request]?: Request[K] }
/** `problem` says why it is no whole request. */
export type Read =
  | { readonly request: Request }
  | { readonly request?: never; readonly partial: Partly; readonly problem: string }

export const encodeRequest = ({ id, inputs, object, replyTo, method }: Request): Uint8Array =>
  encode({ ID: id, Inputs: inputs, Object: { Name: object.name, Version: object.version }, ReplyTo: replyTo, Method: method })

/** Written by hand: every operation has one, and the library takes five times as long. */
export const encodeResponse = ({ id, data, failed, error }: Response): Buffer => {
  const writer = new Writer(96 + 3 * (id.length + (failed?.length ?? 0) + (error?.length ?? 0)) + (data?.length ?? 0))
  writer.raw(head)
  writer.text(id)
  writer.raw(output)
  if (data === null) writer.nil()
  else writer.bytes(data)
  writer.raw(errorKey)
  if (failed === undefined) writer.nil()
  else {
    writer.raw(message)
    writer.text(failed)
  }
  writer.raw(errorKey)
  if (error === undefined) writer.nil()
  else writer.text(error)
  return writer.done()
}

// {"ID": id, "Output": {"Data": data, "Error": nil or {"Message": failed}}, "Error": nil or error}
const ascii = (text: string) => Buffer.from(text, 'latin1')
const head = ascii('\x83\xa2ID')
const output = ascii('\xa6Output\x82\xa4Data')
const errorKey = ascii('\xa5Error')
const message = ascii('\x81\xa7Message')

/** Reads a request in any order of keys; absent ones are zero values and unknown ones are skipped, as Go does. Never throws. */
export const readRequest = (payload: Uint8Array | Ends): Read => {
  const partial: Writable<Partly> = {}
  let problem: string | undefined
  try {
    const reader = new Reader(payload)
    const wrong = (field: string) => {
      problem ??= `${field} has the wrong type`
      reader.skip(maxDepth)
    }
    const fields = reader.count('map')
    if (fields === undefined) return { partial, problem: 'the request is no map' }
    for (let left = fields; left > 0; left--) {
      const key = reader.text()
      switch (key) {
        case 'ID':
        case 'ReplyTo':
        case 'Method': {
          const text = reader.text()
          if (text === undefined) wrong(key)
          else partial[key === 'ID' ? 'id' : key === 'ReplyTo' ? 'replyTo' : 'method'] = text
          break
        }
        case 'Inputs': {
          const inputs = payload instanceof Uint8Array ? readInputs(reader) : leaveInputs(reader)
          if (inputs === undefined) wrong(key)
          else partial.inputs = inputs
          break
        }
        case 'Object': {
          const object = readObject(reader)
          if (object === undefined) wrong(key)
          else partial.object = object
          break
        }
        case undefined:
          reader.skip(maxDepth)
          reader.skip(maxDepth)
          break
        default:
          reader.skip(maxDepth)
      }
    }
    if (reader.at !== reader.size) problem ??= 'more bytes follow the request'
  } catch (error) {
    problem ??= error instanceof Error ? error.message : String(error)
  }
  if (!partial.replyTo) problem ??= 'ReplyTo is missing'
  if (problem !== undefined) return { partial, problem }
  const { id = '', inputs = [], object = { name: '', version: '' }, replyTo = '', method = '' } = partial
  return { request: { id, inputs, object, replyTo, method } }
}

/** Far more than any method takes; a list of a million empty strings costs its bytes and no more. */
const maxInputs = 1_024

/** Of a payload that is not all there: what is asked for comes behind them. */
const leaveInputs = (reader: Reader): Uint8Array[] => {
  reader.skip(maxDepth)
  return []
}

/** Undefined, and nothing consumed, where the value is no list of byte strings. */
const readInputs = (reader: Reader): Uint8Array[] | undefined => {
  const start = reader.at
  const count = reader.count('list')
  if (count === undefined || count > maxInputs) return back(reader, start)
  const inputs: Uint8Array[] = []
  while (inputs.length < count) {
    const input = reader.bytes()
    if (input === undefined) return back(reader, start)
    inputs.push(input)
  }
  return inputs
}

const readObject = (reader: Reader): ObjectId | undefined => {
  const start = reader.at
  const count = reader.count('map')
  if (count === undefined) return undefined
  const object = { name: '', version: '' }
  for (let left = count; left > 0; left--) {
    const key = reader.text()
    // A key that is no text is a value as any other, and unknown.
    if (key === undefined) reader.skip(maxDepth)
    if (key !== 'Name' && key !== 'Version') reader.skip(maxDepth)
    else {
      const text = reader.text()
      if (text === undefined) return back(reader, start)
      object[key === 'Name' ? 'name' : 'version'] = text
    }
  }
  return object
}

const back = (reader: Reader, to: number): undefined => {
  reader.at = to
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
