import { OpenAPIHono } from '@hono/zod-openapi'
import { GatewayError } from '../../../core/index.ts'
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
import { workloads } from './workloads.ts'

/** The whole API as one hono app. */
export const createApp = (context: Context): OpenAPIHono<Env> => {
  const { settings, log } = context
  const app = new OpenAPIHono<Env>()
  let running = 0

  app.onError((error) => {
    const response = problem(error)
    if (response.status === 500) log('a request failed', { error: error.message, stack: error.stack })
    return withHeaders(response)
  })
  app.use(async (c, next) => {
    if (probePaths.includes(c.req.path)) return next()
    let caller: string | undefined
    if (c.env.via !== 'socket') {
      guard(c.req.raw, settings)
      if (!isPublic(c.req.path)) caller = authorize(c.req.raw, settings.tokens)
    }
    // Whoever runs the gateway gets in however busy it is.
    if (running >= settings.maxParallel && c.env.via !== 'socket')
      throw new GatewayError('LIMIT', `${running} requests run already`, 'send fewer at once, or try again in a second')
    running++
    await next().finally(() => running--)
    if (caller !== undefined && isWrite(c.req.raw))
      log(`${c.req.method} ${shown(c.req.path)}`, { by: caller, status: c.res.status })
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
