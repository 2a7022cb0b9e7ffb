import {
  asGatewayError,
  type Gateway,
  type Problem,
  parseId,
  parseOperation,
  refused,
  type SetOp,
  type WorkloadId,
} from '../../../core/index.ts'
import { nearest } from '../../../lib/nearest.ts'
import { shown } from '../../../lib/shown.ts'
import { readObject } from './body.ts'
import type { Ask, Context } from './context.ts'
import { checkPreconditions, etagOf } from './etag.ts'
import { badRequest } from './problem.ts'
import { httpsPort } from './public-port.ts'
import { readQuery } from './routes.ts'
import { NoQuery, PutQuery } from './schemas.ts'
import { viewRoute } from './view.ts'

/** The handlers that change workloads. */
export const writes = ({ gateway }: Context) => {
  const pending = underWay()

  const put = async (c: Ask): Promise<Response> => {
    const { plan, wait } = readQuery(c, PutQuery)
    const op = toOperation(c.req.param('id') ?? '', await readObject(c.req.raw))
    if (plan !== undefined) return c.json(await planned(gateway, op, c.req.raw.signal))
    while (isConditional(c) && pending.of(op.id)) await pending.of(op.id)
    const before = gateway.routes.get(op.id)
    checkPreconditions(c.req.raw.headers, before)
    const taken = Promise.withResolvers<void>()
    let applied: Date | undefined
    const onApplied = () => {
      applied = new Date()
      taken.resolve()
    }
    const done = gateway.dispatch(op, { ...(wait && { wait }), onApplied })
    pending.add(op.id, Promise.race([taken.promise, done]))
    const route = await done
    const answered = new Date()
    c.header('etag', etagOf(route))
    const times = { applied: applied ?? answered, ...(wait && { live: answered }) }
    return c.json({ ...viewRoute(route, httpsPort(gateway)), ...times }, before ? 200 : 201)
  }

  const remove = async (c: Ask): Promise<Response> => {
    readQuery(c, NoQuery)
    const id = parseId(c.req.param('id'))
    while (isConditional(c) && pending.of(id)) await pending.of(id)
    checkPreconditions(c.req.raw.headers, gateway.routes.get(id))
    const done = gateway.dispatch({ do: 'delete', id })
    pending.add(id, done)
    await done
    return c.body(null, 204)
  }
  return { put, remove }
}

const isConditional = ({ req }: Ask): boolean => req.raw.headers.has('if-match') || req.raw.headers.has('if-none-match')

const fields = ['fqdn', 'name', 'backends', 'passthrough', 'network']

/** Everything that is wrong with the body goes back together: unknown fields, the choice of fqdn or name, and what parseOperation says. */
const toOperation = (id: string, body: Readonly<Record<string, unknown>>): SetOp => {
  const problems: Problem[] = unknownFields(body)
  const named = [body.fqdn, body.name].filter((value) => value !== undefined && value !== null).length
  if (named !== 1)
    problems.push(badRequest(`the body has ${named ? 'both fqdn and' : 'neither fqdn nor'} name`, 'give one of the two'))
  try {
    const kind = body.name === undefined || body.name === null ? 'set-fqdn' : 'set-name'
    const { fqdn, name, backends, passthrough, network } = body
    const op = parseOperation({ fqdn, name, backends, passthrough, network, do: kind, id })
    if (problems.length === 0 && (op.do === 'set-fqdn' || op.do === 'set-name')) return op
  } catch (error) {
    problems.push(...asGatewayError(error).problems)
  }
  const [first = badRequest('the body is wrong', 'see /docs'), ...rest] = problems.map(({ code, message, fix }) => ({
    code,
    message,
    fix,
  }))
  throw refused([first, ...rest])
}

/** The most unknown fields that are told one by one. */
const maxReported = 8

const unknownFields = (body: Readonly<Record<string, unknown>>): Problem[] => {
  const unknown = Object.keys(body).filter((key) => !fields.includes(key))
  const known = `known are ${fields.join(', ')}`
  const problems: Problem[] = unknown.slice(0, maxReported).map((key) => {
    const near = nearest(key, fields)
    return { code: 'BAD_REQUEST', message: `there is no field '${shown(key)}'`, fix: near ? `did you mean '${near}'?` : known }
  })
  const more = unknown.length - maxReported
  return more > 0 ? [...problems, { code: 'BAD_REQUEST', message: `${more} more fields do not exist`, fix: known }] : problems
}

const planned = async (gateway: Gateway, op: SetOp, signal: AbortSignal) => {
  const { route, current, problems } = await gateway.plan(op, signal)
  const port = httpsPort(gateway)
  return { ...(route && { route: viewRoute(route, port) }), ...(current && { current: viewRoute(current, port) }), problems }
}

/** The writes of this API that are not applied yet: one with a precondition waits for them, so that nothing comes between it and its write. */
const underWay = () => {
  const all = new Map<WorkloadId, Set<Promise<unknown>>>()
  return {
    /** Resolves when those that are under way now are applied; undefined where none is. */
    of: (id: WorkloadId): Promise<unknown> | undefined => {
      const writes = all.get(id)
      return writes && Promise.allSettled(writes)
    },
    add(id: WorkloadId, write: Promise<unknown>): void {
      const writes = all.get(id) ?? new Set()
      all.set(id, writes.add(write))
      const leave = () => {
        writes.delete(write)
        if (writes.size === 0 && all.get(id) === writes) all.delete(id)
      }
      write.then(leave, leave)
    },
  }
}
