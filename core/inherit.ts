import { provided, type Running } from './boot.ts'
import { LeftBehind } from './capability.ts'
import { reason } from './errors.ts'
import type { Event } from './event.ts'
import type { Draft, Route, Tls } from './operation.ts'
import { routeOf, taken } from './planner.ts'
import type { Write } from './plugin.ts'

/** The state that says that a store has taken over what was left. */
export const inheritedMark = 'core/inherited'

/**
 * What of these can be added to what is stored; the rest, with why not. Who ends TLS is asked anew whenever stored routes are restored, so
 * that it need not be known here.
 */
export const addable = (stored: readonly Route[], drafts: readonly Draft[], tlsOf?: (draft: Draft) => Tls | undefined) => {
  const ids = new Map(stored.map(({ id, host }) => [id, host]))
  const hosts = new Set(stored.map(({ host }) => host))
  const routes: Route[] = []
  const refused: { readonly draft: Draft; readonly why: string; readonly same: boolean }[] = []
  for (const draft of drafts) {
    const host = ids.get(draft.id)
    if (host !== undefined) refused.push({ draft, why: 'the workload is there already', same: host === draft.host })
    else if (hosts.has(draft.host)) refused.push({ draft, why: taken(draft.host).message, same: false })
    else {
      ids.set(draft.id, draft.host)
      hosts.add(draft.host)
      routes.push(routeOf(draft, tlsOf?.(draft) ?? unknown(draft)))
    }
  }
  return { routes, refused }
}

/** At the first start of a root: what a plugin found left behind is made durable. Resolves with what came to the stored routes. */
export const inherit = async (o: {
  set: readonly Running[]
  stored: readonly Route[]
  state: Map<string, Uint8Array>
  tlsOf(draft: Draft): Tls | undefined
  commit(writes: readonly Write[]): Promise<void>
  emit(event: Event): void
  signal: AbortSignal
}): Promise<readonly Route[]> => {
  const source = provided(o.set, LeftBehind.id)
  if (!isLeftBehind(source) || o.state.has(inheritedMark)) return []
  const alarm = (message: string, fix: string) => o.emit({ type: 'alarm', code: 'BAD_REQUEST', message, fix })
  const drafts = await Promise.resolve(source.drafts(o.signal)).catch((error) => {
    alarm(`what another gateway left cannot be read: ${reason(error)}`, 'it is tried again at the next start')
    return undefined
  })
  if (!drafts) return []
  const { routes, refused } = addable(o.stored, drafts, o.tlsOf)
  // What an import brought before says nothing new.
  for (const { draft, why } of refused.filter(({ same }) => !same))
    alarm(`workload ${draft.id} (${draft.host}) was left by another gateway and is not taken over: ${why}`, 'see gateway list')
  const value = Buffer.from(new Date().toISOString())
  await o.commit([...routes.map((put) => ({ put })), { state: inheritedMark, value }])
  o.state.set(inheritedMark, value)
  return routes
}

const unknown = ({ passthrough, host }: Draft): Tls =>
  passthrough ? { mode: 'passthrough' } : { mode: 'terminate', resolver: 'unknown', names: [host] }

const isLeftBehind = (api: unknown): api is LeftBehind => typeof api === 'object' && api !== null && 'drafts' in api
