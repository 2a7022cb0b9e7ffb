import { setTimeout as wait } from 'node:timers/promises'
import { asGatewayError, type Gateway, type Operation, parseOperation, type Route } from '../../../core/index.ts'
import { deleteArguments, type Read, setArguments } from '../../../lib/zbus/arguments.ts'
import { decode } from '../../../lib/zbus/index.ts'
import type { Exchange } from './ears.ts'
import { describe, differences, fileOf } from './files.ts'
import { judge, type Ours, type Theirs } from './judge.ts'
import type { Report } from './report.ts'

const methods: Readonly<Record<string, Read>> = {
  SetNamedProxy: setArguments('name', 2),
  SetFQDNProxy: setArguments('fqdn', 2),
  DeleteNamedProxy: deleteArguments,
}
/** Milliseconds for a file to be what the answer says, and between two looks. */
const settle = 2_000
const pause = 100

/** Does with each request what this gateway does, to a table that nobody is served from, and compares that with what the Go module did. */
export const comparison = (o: {
  readonly gateway: Gateway
  readonly folders: readonly string[]
  readonly report: Report
  isOvertaken(one: Exchange): boolean
  /** The shared table may differ from the files by this workload, which was told. */
  diverged(id: string): void
}) => {
  const { gateway, report } = o

  const act = async (op: Operation): Promise<Ours> => {
    const before = 'id' in op ? gateway.routes.get(op.id) : undefined
    try {
      const answer = await gateway.dispatch(op)
      return { before, route: answer && 'tls' in answer ? answer : undefined }
    } catch (thrown) {
      return { before, error: asGatewayError(thrown) }
    }
  }
  /** What was taken here and not there goes again, so that one difference makes no others. */
  const align = async (op: Operation, theirs: Theirs, ours: Ours): Promise<void> => {
    if (!('id' in op)) return
    if (theirs.refused === undefined) {
      if (ours.error) o.diverged(op.id)
      return
    }
    if (ours.error || ours.route === ours.before) return
    if (ours.before !== undefined) return o.diverged(op.id)
    await gateway.dispatch({ do: 'delete', id: op.id }).catch(() => o.diverged(op.id))
  }

  const look = async (one: Exchange, route: Route | undefined, id: string): Promise<readonly string[]> => {
    for (let waited = 0; ; waited += pause) {
      const found = await mismatch(o.folders, id, route)
      if (found.length === 0 || o.isOvertaken(one)) return []
      if (waited >= settle) return found
      await wait(pause)
    }
  }

  /** `undefined`: a method that is not compared. */
  return async (one: Exchange): Promise<void> => {
    const { request, answer, at } = one
    const read = methods[request.method]
    if (!read) return
    const about = request.method === 'SetNamedProxy' ? 'set-name' : request.method === 'SetFQDNProxy' ? 'set-fqdn' : 'delete'
    const args = request.inputs.map((input) => decode(input))
    const id = typeof args[0] === 'string' ? args[0] : ''
    const theirs = theirsOf(answer)
    let op: Operation
    try {
      op = parseOperation(read(args))
    } catch (thrown) {
      const ours = { error: asGatewayError(thrown) }
      return report.tell({ at, about, id, ...judge({ do: 'metrics' }, theirs, ours) })
    }
    const ours = await act(op)
    const judged = judge(op, theirs, ours)
    await align(op, theirs, ours)
    if (theirs.refused !== undefined || ours.error) return report.tell({ at, about, id, ...judged })
    const found = await look(one, ours.route, id)
    if (found.length === 0) return report.tell({ at, about, id, ...judged })
    o.diverged(id)
    report.tell({ at, about, id, verdict: 'different', theirs: judged.theirs, ours: `${judged.ours}, but ${found.join('; ')}` })
  }
}

/** What a file and the route of this gateway have against each other. */
export const mismatch = async (folders: readonly string[], id: string, route: Route | undefined): Promise<readonly string[]> => {
  const file = await fileOf(folders, id)
  if (file === undefined) return route ? ['there is no file of it'] : []
  if (typeof file === 'string') return [`its file cannot be used: ${file}`]
  return route ? differences(file, route) : [`its file serves ${describe(file)}`]
}

const theirsOf = (answer: Exchange['answer']): Theirs => {
  if ('refused' in answer) return { refused: answer.refused }
  if ('failed' in answer) return { refused: answer.failed }
  return typeof answer.value === 'string' ? { fqdn: answer.value } : {}
}
