import type { OpenAPIHono } from '@hono/zod-openapi'
import { GatewayError, parseId, type Route, type WorkloadId } from '../../../core/index.ts'
import { canonicalHost } from '../../../lib/host.ts'
import type { Context, Env } from './context.ts'
import { etagOf, isIn } from './etag.ts'
import { httpsPort } from './public-port.ts'
import { add, answers, readQuery } from './routes.ts'
import * as schemas from './schemas.ts'
import { kindOf, viewWorkload } from './view.ts'
import { writes } from './writes.ts'

const tags = ['workloads']
const params = schemas.IdPath
const etag = { etag: { description: 'Validator for If-Match and If-None-Match', schema: { type: 'string' as const } } }

export const workloads = (app: OpenAPIHono<Env>, context: Context): void => {
  const { gateway } = context
  const { put, remove } = writes(context)

  add(
    app,
    'get',
    '/v1/workloads',
    {
      tags,
      summary: 'List workloads in order of id',
      request: { query: schemas.ListQuery },
      responses: { 200: answers('A page of workloads', schemas.Workloads) },
    },
    (c) => {
      const { limit = 100, after, ...filters } = readQuery(c, schemas.ListQuery)
      const page = find(gateway, keeps(filters), limit + 1, after === undefined ? undefined : parseId(after))
      const shown = page.slice(0, limit)
      const port = httpsPort(gateway)
      const next = page.length > limit ? shown.at(-1)?.id : undefined
      return c.json({
        workloads: shown.map((route) => viewWorkload(route, gateway.certificates.of(route), port)),
        ...(next && { next }),
      })
    },
  )

  add(
    app,
    'get',
    '/v1/workloads/{id}',
    {
      tags,
      summary: 'Show a workload',
      request: { params },
      responses: {
        200: { ...answers('The workload', schemas.Workload), headers: etag },
        304: { description: 'It is as If-None-Match says' },
      },
    },
    (c) => {
      readQuery(c, schemas.NoQuery)
      const id = parseId(c.req.param('id'))
      const route = gateway.routes.get(id)
      if (!route) throw new GatewayError('NOT_FOUND', `there is no workload ${id}`, 'list what there is, or set it first')
      c.header('etag', etagOf(route))
      const known = c.req.header('if-none-match')
      return known !== undefined && isIn(known, etagOf(route))
        ? c.body(null, 304)
        : c.json(viewWorkload(route, gateway.certificates.of(route), httpsPort(gateway)))
    },
  )

  add(
    app,
    'put',
    '/v1/workloads/{id}',
    {
      tags,
      summary: 'Serve a host from backends, or change how',
      request: {
        params,
        query: schemas.PutQuery,
        body: { required: true, content: { 'application/json': { schema: schemas.Wanted } } },
      },
      responses: {
        200: { ...answers('Changed, or the same as before; with ?plan a Plan', schemas.Applied.or(schemas.Plan)), headers: etag },
        201: { ...answers('New', schemas.Applied), headers: etag },
      },
    },
    put,
  )

  add(
    app,
    'delete',
    '/v1/workloads/{id}',
    {
      tags,
      summary: 'Stop serving a workload; one that is not there is no error',
      request: { params },
      responses: { 204: { description: 'It takes no new request; open connections drain' } },
    },
    remove,
  )
}

/** The first `limit` routes after `after` that the filter keeps, read from the table in pages. */
const find = (gateway: Context['gateway'], keep: (route: Route) => boolean, limit: number, after?: WorkloadId): Route[] => {
  const found: Route[] = []
  for (let from = after; ; ) {
    const page = gateway.routes.list(from, 1000)
    for (const route of page) if (keep(route) && found.push(route) === limit) return found
    const last = page.at(-1)
    if (!last || page.length < 1000) return found
    from = last.id
  }
}

type Filters = Readonly<Partial<Record<'tenant' | 'host' | 'kind' | 'passthrough', string | undefined>>>

const keeps = ({ tenant, host, kind, passthrough }: Filters) => {
  const canonical = host && (canonicalHost(host) ?? host)
  return (route: Route): boolean =>
    (tenant === undefined || route.tenant === tenant) &&
    (canonical === undefined || route.host === canonical) &&
    (kind === undefined || kindOf(route) === kind) &&
    (passthrough === undefined || String(route.passthrough) === passthrough)
}
