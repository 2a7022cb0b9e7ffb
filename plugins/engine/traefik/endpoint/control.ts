import { openControl } from '../control.ts'
import type { Journal, Written } from './journal.ts'
import { type Answer, type Facts, lines, type Request, type Said } from './protocol.ts'
import type { Checked, Served } from './served.ts'

export interface Parts {
  readonly served: Served
  readonly journal: Journal
  readonly facts: () => Facts
  /** The document is another, or the gateway said that it is right. */
  readonly agreed: () => void
  readonly letGo: (ms: number) => void
}

/**
 * Takes changes from the gateway on a unix socket of mode 0600, once `loading` gave the parts. Rejects where another endpoint listens
 * there: who has the socket has the folder.
 */
export const startControl = async (path: string, loading: Promise<Parts>) => {
  // One request after another, whoever sent it.
  let turn: Promise<unknown> = loading
  const control = await openControl(path, (socket) => {
    const say = (said: Said) => void (socket.writable && socket.write(`${JSON.stringify(said)}\n`))
    const whole = new Map<string, string | null>()
    const take = (line: string) => {
      const request: Request = JSON.parse(line)
      if (typeof request?.id !== 'number' || !Array.isArray(request.changes)) throw new Error('that is no request')
      const done = turn.then(async () => say({ answer: await answer(await loading, request, whole) }))
      turn = done.catch(() => undefined)
    }
    socket.on(
      'data',
      lines(take, () => socket.destroy()),
    )
    void loading.then(({ facts }) => say({ hello: facts() }))
  })
  return {
    handed: (facts: Facts) => {
      const said: Said = { handed: facts }
      for (const socket of control.clients) socket.write(`${JSON.stringify(said)}\n`)
    },
    close: () => control.close(turn),
  }
}

const answer = async (parts: Parts, request: Request, whole: Map<string, string | null>): Promise<Answer> => {
  const { journal, agreed } = parts
  const { id } = request
  try {
    if (request.letGo !== undefined) {
      parts.letGo(request.letGo)
      return { id, revision: journal.revision }
    }
    if (request.whole === 'begin') whole.clear()
    if (request.whole) {
      for (const [key, json] of request.changes) whole.set(key, json)
      if (request.whole !== 'end') return { id, revision: journal.revision }
    } else if (request.on !== journal.revision) return { id, revision: journal.revision, stale: true }
    const changes = request.whole ? difference(parts.served, whole) : request.changes
    const refused = await change(parts, changes)
    agreed()
    return { id, revision: journal.revision, ...(refused.length > 0 && { refused }) }
  } catch (error) {
    return { id, revision: journal.revision, failed: error instanceof Error ? error.message : String(error) }
  }
}

const difference = (served: Served, whole: ReadonlyMap<string, string | null>): readonly Written[] => [
  ...[...served.keys].filter((key) => !whole.has(key)).map((key) => [key, null] as const),
  ...whole,
]

/** Makes the changes durable, then serves them. What cannot be served is not taken; the rest stands. */
const change = async (
  { served, journal }: Parts,
  changes: readonly Written[],
): Promise<readonly (readonly [string, string])[]> => {
  const refused: (readonly [string, string])[] = []
  const taken: (Checked | string)[] = []
  for (const [key, json] of changes) {
    if (served.part(key) === (json ?? undefined)) continue
    try {
      taken.push(json === null ? key : served.check(key, json))
    } catch (error) {
      refused.push([key, error instanceof Error ? error.message : String(error)])
    }
  }
  if (taken.length === 0) return refused
  await journal.append(taken.map((one) => (typeof one === 'string' ? [one, null] : [one.key, one.json])))
  for (const one of taken) {
    if (typeof one === 'string') served.remove(one)
    else served.put(one)
  }
  return refused
}
