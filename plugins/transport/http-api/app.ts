import { OpenAPIHono } from '@hono/zod-openapi'
import { shown } from '../../../lib/shown.ts'
import { acme } from './acme.ts'
import { authorize } from './auth.ts'
import type { Context, Env } from './context.ts'
import { docs } from './docs.ts'
import { doctor } from './doctor.ts'
import { events } from './events.ts'
import { guard, isWrite } from './guard.ts'
import { node } from './node.ts'
import { probePaths, probes } from './probes.ts'
import { problem } from './problem.ts'
import { prometheus } from './prometheus.ts'
import { notFound } from './routes.ts'
import { sharesOf } from './shares.ts'
import { workloads } from './workloads.ts'

/** The whole API as one hono app. */
export const createApp = (context: Context): OpenAPIHono<Env> => {
  const { settings, log } = context
  const app = new OpenAPIHono<Env>()
  const { maxParallel, tokens } = settings
  const shares = sharesOf({
    all: maxParallel,
    // One caller leaves room for the others.
    each: tokens.length > 1 ? Math.ceil(maxParallel / 2) : maxParallel,
    what: 'requests run',
    fix: 'send fewer at once, or try again in a second',
  })

  app.onError((error) => {
    const response = problem(error)
    if (response.status === 500) log('a request failed', { error: error.message, stack: error.stack })
    return withHeaders(response)
  })
  app.use(async (c, next) => {
    if (probePaths.includes(c.req.path)) return next()
    let token: ReturnType<typeof authorize>
    if (c.env.via !== 'socket') {
      guard(c.req.raw, settings)
      if (!isPublic(c.req.path)) token = authorize(c.req.raw, settings.tokens)
      c.set('caller', token ?? settings)
    }
    // Whoever runs the gateway gets in however busy it is.
    const done = c.env.via === 'socket' ? undefined : shares.take(token ?? settings)
    await next().finally(done)
    if (token?.name !== undefined && isWrite(c.req.raw))
      log(`${c.req.method} ${shown(c.req.path)}`, { by: token.name, status: c.res.status })
  })
  app.use(async (c, next) => {
    await next()
    withHeaders(c.res)
  })
  for (const part of [probes, workloads, node, acme, doctor, events, prometheus, docs]) part(app, context)
  app.notFound((c) => notFound(app, c))
  return app
}

/** The description of the API tells nothing about the gateway that runs it. */
const isPublic = (path: string): boolean => path === '/openapi.json' || path === '/docs' || path.startsWith('/docs/')

const withHeaders = (response: Response): Response => {
  const { headers } = response
  headers.set('x-content-type-options', 'nosniff')
  headers.set('x-frame-options', 'DENY')
  headers.set('cross-origin-resource-policy', 'same-origin')
  headers.set('referrer-policy', 'no-referrer')
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
  return response
}
