import type { OpenAPIHono } from '@hono/zod-openapi'
import { type Answers, GatewayError } from '../../../core/index.ts'
import type { Context, Env } from './context.ts'
import { add, answers, readQuery } from './routes.ts'
import * as schemas from './schemas.ts'
import { sliced } from './sliced.ts'
import { viewCertificate } from './view.ts'

/** What is not about one workload: sums, certificates, the gateway itself. */
export const node = (app: OpenAPIHono<Env>, { gateway }: Context): void => {
  add(
    app,
    'get',
    '/v1/metrics',
    {
      tags: ['metrics'],
      summary: 'Bytes of every workload since it was first set',
      responses: { 200: answers('Sums that never go back', schemas.Metrics) },
    },
    async (c) => {
      readQuery(c, schemas.NoQuery)
      const sums = await gateway.dispatch({ do: 'metrics' })
      return c.body(sliced('{"workloads":{', entries(sums), '}}'), 200, { 'content-type': 'application/json' })
    },
  )

  add(
    app,
    'get',
    '/v1/backup',
    {
      tags: ['gateway'],
      summary: 'All that the gateway keeps, private keys too; over the unix socket only',
      responses: {
        200: {
          description: 'Lines of JSON, as `gateway restore` takes them',
          content: { 'application/x-ndjson': { schema: schemas.Backup } },
        },
      },
    },
    async (c) => {
      readQuery(c, schemas.NoQuery)
      if (c.env.via !== 'socket')
        throw new GatewayError('FORBIDDEN', 'private keys are in a backup', 'run `gateway backup` on the machine of the gateway')
      return c.body(sliced('', await gateway.backup(), ''), 200, { 'content-type': 'application/x-ndjson' })
    },
  )

  add(
    app,
    'get',
    '/v1/certificates',
    {
      tags: ['certificates'],
      summary: 'List certificates, without their keys',
      responses: { 200: answers('All that are in use', schemas.Certificates) },
    },
    (c) => {
      readQuery(c, schemas.NoQuery)
      return c.json({ certificates: gateway.certificates.list().map(viewCertificate) })
    },
  )

  add(
    app,
    'post',
    '/v1/certificates/{id}/renew',
    {
      tags: ['certificates'],
      summary: 'Obtain a certificate again now',
      request: { params: schemas.TextId },
      responses: { 204: { description: 'It is renewed' } },
    },
    async (c) => {
      readQuery(c, schemas.NoQuery)
      await gateway.certificates.renew(c.req.param('id') ?? '')
      return c.body(null, 204)
    },
  )

  add(
    app,
    'post',
    '/v1/certificates/{id}/revoke',
    {
      tags: ['certificates'],
      summary: 'Have the CA revoke a certificate, behind a new one where workloads use it',
      request: { params: schemas.TextId },
      responses: { 204: { description: 'It is revoked' } },
    },
    async (c) => {
      readQuery(c, schemas.NoQuery)
      await gateway.certificates.revoke(c.req.param('id') ?? '')
      return c.body(null, 204)
    },
  )

  add(
    app,
    'get',
    '/v1/status',
    {
      tags: ['gateway'],
      summary: 'Show the gateway and its plugins',
      responses: { 200: answers('How it is', schemas.Status) },
    },
    (c) => {
      readQuery(c, schemas.NoQuery)
      return c.json(gateway.status())
    },
  )

  add(
    app,
    'post',
    '/v1/reload',
    {
      tags: ['gateway'],
      summary: 'Take the changed config file; a wrong one is refused and the old one runs on',
      responses: { 200: answers('What became of the plugins', schemas.ReloadReport) },
    },
    async (c) => {
      readQuery(c, schemas.NoQuery)
      return c.json(await gateway.reload())
    },
  )
}

function* entries(sums: Answers['metrics']): Generator<string> {
  let comma = ''
  for (const [id, { request, response }] of sums) {
    yield `${comma}${JSON.stringify(id)}:${JSON.stringify({ request, response })}`
    comma = ','
  }
}
