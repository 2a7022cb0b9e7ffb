import { GatewayError, reason } from '../../../core/index.ts'
import { shown } from '../../../lib/shown.ts'
import { parseStrictJson } from '../../../lib/strict-json.ts'
import { isJson } from './guard.ts'
import { badRequest, HttpError } from './problem.ts'

const maxBytes = 1024 * 1024

/** The JSON object that a request carries. Throws TOO_LARGE beyond 1 MiB, else BAD_REQUEST. */
export const readObject = async (request: Request): Promise<Readonly<Record<string, unknown>>> => {
  const type = request.headers.get('content-type') ?? ''
  if (!isJson(type))
    throw new HttpError(415, 'BAD_REQUEST', `content type '${shown(type)}' is not JSON`, 'send content-type: application/json')
  const value = parse(await readText(request))
  if (!isObject(value)) throw badRequest('the body is no JSON object', 'send { "fqdn" or "name", "backends" }')
  return value
}

const readText = async (request: Request): Promise<string> => {
  const declared = request.headers.get('content-length')
  if (Number(declared ?? 0) > maxBytes) throw tooLarge()
  const bytes = await (declared === null ? readStream(request) : readWhole(request)).catch((error: unknown) => {
    throw badRequest(`the body broke off: ${shown(reason(error))}`, 'send the whole of it')
  })
  if (bytes.byteLength > maxBytes) throw tooLarge()
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw badRequest('the body is not UTF-8', 'send JSON in UTF-8')
  }
}

/** What is no longer than it says need not go through a stream, which costs more than all else of a small request. */
const readWhole = async (request: Request): Promise<Uint8Array> => new Uint8Array(await request.arrayBuffer())

/** No more than what shows that it is too long. */
const readStream = async (request: Request): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    chunks.push(chunk)
    if (size > maxBytes) break
  }
  return Buffer.concat(chunks)
}

const parse = (text: string): unknown => {
  try {
    return parseStrictJson(text)
  } catch (error) {
    throw badRequest(
      `the body is no good JSON: ${shown(reason(error))}`,
      'send one JSON object, each key once, at most 16 levels deep and 10,000 values',
    )
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const tooLarge = () => new GatewayError('TOO_LARGE', 'the body is larger than 1 MiB', 'send less')
