import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context, Env } from './context.ts'
import { add, answers } from './routes.ts'
import { Ready } from './schemas.ts'

/** For load balancers and supervisors, which bring no token. They learn which plugins are down, and not why. */
export const probes = (app: OpenAPIHono<Env>, { gateway }: Context): void => {
  add(
    app,
    'get',
    '/healthz',
    {
      tags: ['gateway'],
      security: [],
      summary: 'Is the process alive?',
      responses: { 200: { description: 'Yes', content: { 'text/plain': { schema: { type: 'string' } } } } },
    },
    (c) => c.text('ok\n'),
  )

  add(
    app,
    'get',
    '/readyz',
    {
      tags: ['gateway'],
      security: [],
      summary: 'Is every plugin up?',
      responses: { 200: answers('Yes', Ready), 503: answers('No, for these reasons', Ready) },
    },
    (c) => {
      const { ready, plugins } = gateway.status()
      const down = plugins.filter(({ state }) => state === 'down').map(({ name }) => `${name} is down`)
      const reasons = ready ? down : ['the gateway is starting or stopping', ...down]
      return c.json({ ready: reasons.length === 0, reasons }, reasons.length ? 503 : 200)
    },
  )
}
export const probePaths: readonly string[] = ['/healthz', '/readyz']
