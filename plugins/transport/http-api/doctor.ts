import type { OpenAPIHono } from '@hono/zod-openapi'
import { type Doctor, GatewayError } from '../../../core/index.ts'
import type { Context, Env } from './context.ts'
import { add, answers, readQuery } from './routes.ts'
import * as schemas from './schemas.ts'

/** What is to be in the DNS, and what there is. */
export const doctor = (app: OpenAPIHono<Env>, { doctor }: Context): void => {
  add(
    app,
    'get',
    '/v1/doctor/{name}',
    {
      tags: ['gateway'],
      summary: 'Find out why a name does not work',
      request: { params: schemas.NamePath },
      responses: { 200: answers('What each check found', schemas.Examined) },
    },
    async (c) => {
      readQuery(c, schemas.NoQuery)
      const signal = AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(patience)])
      return c.json(
        await there(doctor)
          .examine(c.req.param('name') ?? '', signal)
          .catch(late(signal)),
      )
    },
  )

  add(
    app,
    'get',
    '/v1/dns-records',
    {
      tags: ['gateway'],
      summary: "Say what the zone of the gateway's domain needs",
      responses: { 200: answers('Lines of a zone file', schemas.DnsRecords) },
    },
    async (c) => {
      readQuery(c, schemas.NoQuery)
      return c.json({ records: await there(doctor).records(AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(10_000)])) })
    },
  )
}

const patience = 50_000

const there = (doctor: Doctor | undefined): Doctor => {
  if (doctor) return doctor
  throw new GatewayError('DOCTOR_DISABLED', 'this gateway has no plugin that looks into names', 'add doctor() to its config')
}

const late = (signal: AbortSignal) => (error: unknown) => {
  if (!signal.aborted) throw error
  throw new GatewayError(
    'TIMEOUT',
    `it was not found out within ${patience / 1000} s`,
    'see whether the name servers answer, then ask again',
  )
}
