import type { IncomingMessage, RequestOptions } from 'node:http'
import { GatewayError, isErrorCode, reason } from '../core/errors.ts'
import { type ConnectionFlags, type Place, placeOf } from './connection.ts'

interface Ask {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Longer than any operation of the gateway may take, in milliseconds. */
const patience = 65_000

/** A running gateway, over its unix socket or a URL. All reject with the GatewayError that it answered, or NOT_RUNNING. */
export const connect = (flags: ConnectionFlags) => {
  const place = placeOf(flags)
  return {
    place,
    /** The JSON answer, as its description in /openapi.json has it; undefined where there is none. */
    async ask<T>(path: string, ask: Ask = {}): Promise<T> {
      const answer = await send(place, path, { ...ask, timeout: patience })
      const text = await read(answer)
      if (text === '') return JSON.parse('null')
      return json(text, place)
    },
    /** The open answer, to be read as it comes. */
    stream: (path: string, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> => send(place, path, { headers }),
  }
}

const send = async (place: Place, path: string, { method = 'GET', body, headers = {}, timeout }: Ask & { timeout?: number }) => {
  const payload = body === undefined ? undefined : JSON.stringify(body)
  const token = 'url' in place ? place.token : undefined
  const options: RequestOptions = {
    method,
    headers: {
      ...(method !== 'GET' && { 'content-type': 'application/json' }),
      ...(payload !== undefined && { 'content-length': Buffer.byteLength(payload) }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(timeout !== undefined && { timeout }),
  }
  const answer = await open(place, path, options, payload)
  if ((answer.statusCode ?? 500) >= 400) throw problem(await read(answer), answer, place)
  return answer
}

const open = async (
  place: Place,
  path: string,
  options: RequestOptions,
  payload: string | undefined,
): Promise<IncomingMessage> => {
  const secure = 'url' in place && place.url.protocol === 'https:'
  const { request } = secure ? await import('node:https') : await import('node:http')
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(unreachable(error, place))
    try {
      const outgoing =
        'url' in place
          ? request(new URL(`${place.url.pathname.replace(/\/$/, '')}${path}`, place.url), options, resolve)
          : request({ ...options, socketPath: place.socketPath, path }, resolve)
      outgoing.on('error', failed).on('timeout', () => outgoing.destroy(new Error(`no answer within ${patience / 1000} s`)))
      outgoing.end(payload)
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)))
    }
  })
}

const read = async (answer: IncomingMessage): Promise<string> => Buffer.concat(await answer.toArray()).toString()

const json = (text: string, place: Place) => {
  try {
    return JSON.parse(text)
  } catch {
    throw new GatewayError('BAD_REQUEST', `${place.name} does not answer like a gateway`, 'is it the address of a gateway?')
  }
}

const problem = (text: string, answer: IncomingMessage, place: Place): GatewayError => {
  if (!/problem\+json/.test(answer.headers['content-type'] ?? ''))
    return new GatewayError('BAD_REQUEST', `${place.name} answered ${answer.statusCode}`, 'is it the address of a gateway?')
  const { code, detail, fix, problems } = json(text, place)
  return new GatewayError(isErrorCode(String(code)) ? code : 'INTERNAL', String(detail), String(fix), { problems })
}

const unreachable = (error: NodeJS.ErrnoException, place: Place): GatewayError => {
  const remote = 'url' in place
  if (error.code === 'EACCES')
    return new GatewayError(
      'FORBIDDEN',
      `this user may not open ${place.name}`,
      'run as the user of the gateway, or use --url and a token',
    )
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')
    return new GatewayError(
      'NOT_RUNNING',
      `no gateway answers at ${place.name}`,
      remote
        ? 'check the address and that the gateway runs'
        : 'start one with `gateway`; if it runs with another --root, give the same here',
    )
  return new GatewayError(
    'NOT_RUNNING',
    `cannot ask ${place.name}: ${reason(error)}`,
    'check the address and that the gateway runs',
    { cause: error },
  )
}
