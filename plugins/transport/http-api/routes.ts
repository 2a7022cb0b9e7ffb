import type { OpenAPIHono, RouteConfig, z } from '@hono/zod-openapi'
import { shown } from '../../../lib/shown.ts'
import type { Ask, Env } from './context.ts'
import { badRequest, HttpError } from './problem.ts'
import { ProblemDetails } from './schemas.ts'

type App = OpenAPIHono<Env>
type Method = 'get' | 'put' | 'post' | 'delete'
export type Described = Omit<RouteConfig, 'method' | 'path' | 'responses'> & { readonly responses: RouteConfig['responses'] }

/** Adds a route and its description at once. Bodies are read by body.ts, not by zod: nothing is parsed before the limits hold. */
export const add = (
  app: App,
  method: Method,
  path: string,
  described: Described,
  handle: (c: Ask) => Response | Promise<Response>,
) => {
  const problems = {
    default: { description: 'What went wrong', content: { 'application/problem+json': { schema: ProblemDetails } } },
  }
  app.openAPIRegistry.registerPath({ ...described, method, path, responses: { ...described.responses, ...problems } })
  app.on(method.toUpperCase(), path.replace(/\{(\w+)\}/g, ':$1'), handle)
}

/** A response of JSON, for a description. */
export const answers = (description: string, schema: z.ZodType) => ({ description, content: { 'application/json': { schema } } })

/** The query as the schema has it. A parameter that it does not know is refused: a typo must not pass as its absence. */
export const readQuery = <T>(c: Ask, schema: z.ZodType<T>): T => {
  const entries = [...new URL(c.req.url).searchParams]
  const seen = new Set<string>()
  for (const [key] of entries) {
    if (seen.has(key)) throw badRequest(`the query has ${shown(key)} twice`, 'give every parameter once')
    seen.add(key)
  }
  const parsed = schema.safeParse(Object.fromEntries(entries))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const where = issue?.path.length ? `${shown(issue.path.join('.'))}: ` : ''
  throw badRequest(`the query is wrong: ${where}${shown(issue?.message ?? 'unreadable')}`, 'see /docs for what it takes')
}

/** 404 where the path is unknown, 405 where only the method is (RFC 9110 section 15.5.6). */
export const notFound = (app: App, c: Ask): never => {
  const methods = app.routes.filter(({ method, path }) => method !== 'ALL' && fits(path, c.req.path)).map(({ method }) => method)
  if (methods.length === 0 || methods.includes(c.req.method))
    throw new HttpError(404, 'NOT_FOUND', `there is nothing at ${shown(c.req.path)}`, 'see /docs for what there is')
  const allow = [...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))]
  throw new HttpError(405, 'BAD_REQUEST', `${c.req.method} is not a method of ${shown(c.req.path)}`, `use ${allow.join(', ')}`, {
    allow: allow.join(', '),
  })
}

const fits = (pattern: string, path: string): boolean => {
  const [want, got] = [pattern.split('/'), path.split('/')]
  return want.length === got.length && want.every((part, i) => part.startsWith(':') || part === got[i])
}
