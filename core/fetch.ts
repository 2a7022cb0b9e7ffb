import { provided, type Running } from './boot.ts'
import { Fetch } from './capability.ts'
import { GatewayError } from './errors.ts'

/** Answers by the HTTP API of these plugins, or says that there is none. */
export const answer = async (set: readonly Running[], request: Request): Promise<Response> => {
  const api = provided(set, Fetch.id)
  if (isFetch(api)) return api.fetch(request)
  const { code, message, fix } = new GatewayError(
    'HTTP_API_DISABLED',
    'this gateway has no HTTP API',
    'add httpApi() to the plugins',
  )
  return Response.json(
    { code, status: 501, title: code, detail: message, fix },
    { status: 501, headers: { 'content-type': 'application/problem+json' } },
  )
}

const isFetch = (api: unknown): api is Fetch => typeof api === 'object' && api !== null && 'fetch' in api
