import { expect } from 'vitest'
import { frameType, openFrames } from '../../kit/clients/h2-frames.ts'
import { defer, type Open, type World } from '../../kit/engine/world.ts'
import { oldRoute } from '../old-route.ts'
import { type Capture, capture } from './capture.ts'
import { type Payload, placeholder } from './payload.ts'
import type { StreamPayload } from './streams.ts'

/** Attacks that run at the same time. */
const sideBySide = 12
/** Milliseconds in which an engine has to say something; then it counts as waiting for more, and the client leaves. */
const patience = { one: 15_000, either: 1_500, refused: 1_500 } as const
/** Milliseconds after an answer in which another would be one too many. */
const quiet = 150

interface Outcome {
  readonly statuses: readonly number[]
  readonly texts: readonly string[]
}

/** Sends every payload on a connection of its own, with honest clients of the same backend and of another beside them; says what went wrong, by group. `known`: groups of which the engine lets something through, as one clean request. */
export const attack = async (
  open: Open,
  payloads: readonly (Payload | StreamPayload)[],
  known: Readonly<Record<string, string>> = {},
): Promise<{ readonly wrong: readonly unknown[]; readonly passed: ReadonlySet<string> }> => {
  const world = await open()
  const backend = await capture()
  await world.set('1-1-a', 'a.test', [backend.url])
  await using old = await oldRoute(world)
  const wrong: unknown[] = []
  const passed = new Set<string>()
  const waiting = payloads.entries()
  const attackers = Array.from({ length: sideBySide }, async () => {
    for (const [at, payload] of waiting) {
      const mark = placeholder.replace('0000', String(at).padStart(4, '0'))
      const outcome = 'fields' in payload ? await stream(world, payload, mark) : await connection(world, payload, mark)
      const fault = judge(payload, mark, outcome, backend, known, passed)
      if (fault !== undefined) wrong.push([payload.group, payload.name, fault])
    }
  })
  await Promise.all([...attackers, honest(world, () => Promise.all(attackers))])
  expect(backend.requests.filter(({ target }) => target === '/smuggled')).toEqual([])
  expect(backend.doubtful).toEqual([])
  await old.undisturbed()
  return { wrong, passed }
}

/** A client that shares the backend with the attackers, and gets its own answers and no others. */
const honest = async (world: World, attackers: () => Promise<unknown>) => {
  const state = { over: false }
  const ended = attackers().finally(() => {
    state.over = true
  })
  for (let count = 0; !state.over; count++) expect((await world.get('a.test', `/honest${count}`)).text).toBe(`/honest${count}`)
  await ended
}

const judge = (
  { group, has, ...payload }: Payload | StreamPayload,
  mark: string,
  { statuses, texts }: Outcome,
  backend: Capture,
  known: Readonly<Record<string, string>>,
  passed: Set<string>,
): unknown => {
  const all = backend.requests.filter(({ target }) => target.includes(mark))
  const own = all.filter(({ target }) => !target.startsWith('/smuggled'))
  const targets = own.map(({ target }) => target)
  const meant = 'bytes' in payload ? targetOf(payload.bytes, mark) : undefined
  if (own.length > 1) return ['arrived twice', targets, statuses]
  if (meant?.includes(mark) && texts.some((text, at) => statuses[at] === 200 && text !== '' && !text.includes(mark)))
    return ['got the answer to another', texts]
  if (has === 'one') return own.length === 1 && statuses[0] === 200 ? undefined : ['did not arrive', statuses]
  if (own.length > 0) passed.add(group)
  if (group in known) return undefined
  if (own.length < all.length) return ['what stood behind it was a request', all, statuses]
  if (own.length > 0 && has === 'refused') return ['arrived', own, statuses]
  if (own.length > 0) return meant === undefined || targets[0] === meant ? undefined : ['arrived as another', targets, meant]
  return statuses.every((status) => status >= 300) ? undefined : ['answered', statuses]
}

/** The target as the client wrote it, in origin form. */
const targetOf = (bytes: string, mark: string) => {
  const [, target = ''] = bytes.split('\r\n', 1)[0]?.replace(placeholder, mark).split(/ +/) ?? []
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '')
  return path.startsWith('/') ? path : `/${path}`
}

const connection = async (world: World, { bytes, has }: Payload, mark: string): Promise<Outcome> => {
  const client = await world.h1('a.test')
  const head = bytes.startsWith('HEAD')
  const statuses: number[] = []
  const texts: string[] = []
  let timer = setTimeout(client.close, patience[has])
  client.send(Buffer.from(bytes.replaceAll(placeholder, mark), 'latin1')).catch(() => undefined)
  for (;;) {
    const answer = await client.answer({ head }).catch(() => undefined)
    if (!answer) break
    if (answer.status < 200 && answer.status !== 101) continue
    statuses.push(answer.status)
    texts.push(answer.text)
    clearTimeout(timer)
    timer = setTimeout(client.close, quiet)
  }
  clearTimeout(timer)
  client.close()
  return { statuses, texts }
}

const stream = async (world: World, { fields, body, has }: StreamPayload, mark: string): Promise<Outcome> => {
  const client = await openFrames({ port: world.where.https }, { name: 'a.test', ca: world.authority.root })
  defer(client.close)
  const timer = setTimeout(client.close, patience[has])
  const named = fields.map(([name, value]) => [name, value.replaceAll(placeholder, mark)] as const)
  await client.headers(1, named, body === undefined).catch(() => undefined)
  if (body !== undefined) await client.send(frameType.data, 1, 1, Buffer.from(body, 'latin1')).catch(() => undefined)
  const outcome = await client.outcome(1)
  clearTimeout(timer)
  client.close()
  return { statuses: [outcome === 'ok' ? 200 : 400], texts: [] }
}
