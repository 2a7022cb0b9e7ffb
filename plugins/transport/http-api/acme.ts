import type { OpenAPIHono } from '@hono/zod-openapi'
import { type Acme, GatewayError } from '../../../core/index.ts'
import { readObject } from './body.ts'
import type { Context, Env } from './context.ts'
import { badRequest } from './problem.ts'
import { add, answers, readQuery } from './routes.ts'
import * as schemas from './schemas.ts'

/** Accounts with CAs. */
export const acme = (app: OpenAPIHono<Env>, { acme }: Context): void => {
  add(
    app,
    'get',
    '/v1/acme/accounts',
    {
      tags: ['certificates'],
      summary: 'List the accounts with CAs',
      responses: { 200: answers('One of each CA in the config', schemas.AcmeAccounts) },
    },
    (c) => {
      readQuery(c, schemas.NoQuery)
      return c.json({ accounts: acme?.accounts?.() ?? [] })
    },
  )

  add(
    app,
    'post',
    '/v1/acme/accounts',
    {
      tags: ['certificates'],
      summary: 'Make another account with a CA, in the place of one that it deactivated',
      request: { body: { required: true, content: { 'application/json': { schema: schemas.NewAcmeAccount } } } },
      responses: { 201: answers('The new account', schemas.AcmeAccount) },
    },
    async (c) => {
      readQuery(c, schemas.NoQuery)
      const { directory, ...others } = await readObject(c.req.raw)
      if (typeof directory !== 'string' || Object.keys(others).length > 0)
        throw badRequest('the body is not of this form', 'send { "directory": "https://..." }')
      const signal = AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(timeout)])
      return c.json(await newAccount(acme)(directory, signal), 201)
    },
  )
}

const timeout = 50_000

const newAccount = (acme: Acme | undefined): NonNullable<Acme['newAccount']> => {
  if (acme?.newAccount) return acme.newAccount
  throw new GatewayError('NOT_FOUND', 'this gateway has no account with a CA', 'add acme() to its config')
}
