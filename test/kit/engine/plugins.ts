import {
  type Bytes,
  type Certificate,
  definePlugin,
  optional,
  type Plugin,
  type Route,
  type Stored,
  Traffic,
  type WorkloadId,
  type Write,
} from '../../../core/index.ts'
import type { Authority } from '../authority.ts'

/** Takes any FQDN, and passes TLS through where that is asked. */
export const anyHost = (): Plugin<'workload'> =>
  definePlugin({
    name: 'workload/any-host',
    kind: 'workload',
    setup: () => ({ resolve: { 'set-fqdn': ({ do: _, fqdn, ...wanted }) => ({ ...wanted, host: fqdn, tenant: wanted.id }) } }),
  })

export const passthrough = (): Plugin<'resolver'> =>
  definePlugin({
    name: 'resolver/passthrough',
    kind: 'resolver',
    setup: () => ({ plan: (draft) => (draft.passthrough ? { mode: 'passthrough' } : undefined) }),
  })

/** The names of the certificate for a host: everything under `wild.test` shares one, but for hosts that begin with `exact`. */
const namesFor = (host: string) => (/^(?!exact)[^.]+\.wild\.test$/.test(host) ? ['*.wild.test'] : [host])

/** Certificates of the authority, at once. */
export const issued = (authority: Authority): Plugin<'resolver'> =>
  definePlugin({
    name: 'resolver/issued',
    kind: 'resolver',
    setup: () => ({
      pace: 'instant',
      plan: (draft) => ({ mode: 'terminate', resolver: 'issued', names: namesFor(draft.host) }),
      obtain: async (names): Promise<Certificate> => ({
        ...(await authority.issue(names)),
        id: `issued:${names.join()}`,
        resolver: 'issued',
        names,
      }),
    }),
  })

/** Hosts under `pending.test`: their certificate never comes. */
export const pending = (): Plugin<'resolver'> =>
  definePlugin({
    name: 'resolver/pending',
    kind: 'resolver',
    setup: () => ({
      plan: ({ host }) =>
        host.endsWith('.pending.test') ? { mode: 'terminate', resolver: 'pending', names: [host] } : undefined,
      obtain: () => Promise.reject(new Error('this authority gives nobody a certificate')),
    }),
  })

/** What a memory store holds, to be handed to the next gateway. */
export interface Memory {
  readonly routes: Map<WorkloadId, Route>
  readonly certificates: Map<string, Certificate>
  readonly bytes: Map<WorkloadId, Bytes>
  readonly state: Map<string, Uint8Array>
}
export const emptyMemory = (): Memory => ({ routes: new Map(), certificates: new Map(), bytes: new Map(), state: new Map() })

export const memory = (held: Memory): Plugin<'store'> =>
  definePlugin({
    name: 'store/kit-memory',
    kind: 'store',
    setup: () => ({
      load: (): Stored => ({
        routes: [...held.routes.values()],
        certificates: [...held.certificates.values()],
        bytes: new Map(held.bytes),
        state: new Map(held.state),
      }),
      commit: async (writes) => {
        for (const write of writes) take(held, write)
      },
    }),
  })

const take = (held: Memory, write: Write) => {
  if ('put' in write) held.routes.set(write.put.id, write.put)
  else if ('remove' in write) held.routes.delete(write.remove.id)
  else if ('certificate' in write) held.certificates.set(write.certificate.id, write.certificate)
  else if ('drop' in write) held.certificates.delete(write.drop)
  else if ('ledger' in write) for (const [id, sum] of write.ledger) sum ? held.bytes.set(id, sum) : held.bytes.delete(id)
  else if (write.value) held.state.set(write.state, write.value)
  else held.state.delete(write.state)
}

/** Lets the suite read the engine's own counters; `reader` is set once the gateway runs. */
export const meter = (into: { reader?: Traffic | undefined }): Plugin =>
  definePlugin({
    name: 'service/meter',
    kind: 'service',
    needs: { traffic: optional(Traffic) },
    setup: ({ traffic }) => {
      into.reader = traffic
      return {}
    },
  })
