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
  const inTurn = turns()

  const put = async (c: Ask): Promise<Response> => {
    const { plan, wait } = readQuery(c, PutQuery)
    const op = toOperation(c.req.param('id') ?? '', await readObject(c.req.raw))
    if (plan !== undefined) return c.json(await planned(gateway, op, c.req.raw.signal))
    return inTurn(op.id, async () => {
      const before = gateway.routes.get(op.id)
      checkPreconditions(c.req.raw.headers, before)
      const applied = whenApplied(gateway, op.id)
      const route = await gateway.dispatch(op, wait && { wait }).finally(applied.stop)
      const answered = new Date()
      c.header('etag', etagOf(route))
      const times = { applied: applied.at() ?? answered, ...(wait && { live: answered }) }
      return c.json({ ...viewRoute(route, httpsPort(gateway)), ...times }, before ? 200 : 201)
    })
  }

  const remove = async (c: Ask): Promise<Response> => {
    readQuery(c, NoQuery)
    const id = parseId(c.req.param('id'))
    return inTurn(id, async () => {
      checkPreconditions(c.req.raw.headers, gateway.routes.get(id))
      await gateway.dispatch({ do: 'delete', id })
      return c.body(null, 204)
    })
  }
  return { put, remove }
}

const fields = ['fqdn', 'name', 'backends', 'passthrough', 'network']

/** Everything that is wrong with the body goes back together: unknown fields, the choice of fqdn or name, and what parseOperation says. */
const toOperation = (id: string, body: Readonly<Record<string, unknown>>): SetOp => {
  const problems: Problem[] = Object.keys(body)
    .filter((key) => !fields.includes(key))
    .map((key) => {
      const near = nearest(key, fields)
      return badRequest(`there is no field '${shown(key)}'`, near ? `did you mean '${near}'?` : `known are ${fields.join(', ')}`)
    })
  const named = [body.fqdn, body.name].filter((value) => value !== undefined && value !== null).length
  if (named !== 1) problems.push(badRequest(`the body has ${named ? 'both' : 'neither'} fqdn and name`, 'give one of the two'))
  try {
    const kind = body.name === undefined || body.name === null ? 'set-fqdn' : 'set-name'
    const op = parseOperation({ ...body, do: kind, id })
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

const planned = async (gateway: Gateway, op: SetOp, signal: AbortSignal) => {
  const { route, current, problems } = await gateway.plan(op, signal)
  const port = httpsPort(gateway)
  return { ...(route && { route: viewRoute(route, port) }), ...(current && { current: viewRoute(current, port) }), problems }
}

/** Remembers when the workload was next applied. */
const whenApplied = (gateway: Gateway, id: WorkloadId) => {
  const ended = new AbortController()
  let at: Date | undefined
  const watch = async (): Promise<void> => {
    for await (const event of gateway.events(undefined, ended.signal))
      if (event.type === 'applied' && event.route.id === id) {
        at = event.at
        return
      }
  }
  watch().catch(() => undefined)
  return { at: () => at, stop: () => ended.abort() }
}

/** One write of a workload at a time, so that nothing comes between a precondition and its write. */
const turns = () => {
  const last = new Map<WorkloadId, Promise<unknown>>()
  return <T>(id: WorkloadId, work: () => Promise<T>): Promise<T> => {
    const mine = (last.get(id) ?? Promise.resolve()).then(work, work)
    last.set(id, mine)
    const leave = () => last.get(id) === mine && last.delete(id)
    mine.then(leave, leave)
    return mine
  }
}
