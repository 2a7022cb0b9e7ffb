import { createClient } from '../../../lib/zbus/index.ts'
import { zbus } from '../../../plugins/index.ts'
import { type Asked, describeTransport, Refused, startRedis } from '../../kit/index.ts'
import { standPlugins } from './stand.ts'

const manager = { name: 'manager', version: '0.0.1' }

/** As Go callers send it: the fields by the names of their struct. */
const struct = ({ fqdn, name, backends, passthrough, network }: Asked) =>
  Object.fromEntries(
    Object.entries({ FQDN: fqdn, Name: name, Backends: backends, TLSPassthrough: passthrough, Network: network }).filter(
      ([, value]) => value !== undefined,
    ),
  )

/** An error travels as one sentence that begins with its code; that of an argument that does not decode has the reference's words. */
const refused = (error: unknown) => {
  const message = error instanceof Error ? error.message : String(error)
  const code = message.startsWith('invalid argument type [') ? 'BAD_REQUEST' : /^([A-Z_]+): /.exec(message)?.[1]
  throw new Refused(code ?? message, message)
}

describeTransport('transport/zbus', {
  plugins: standPlugins,
  // As in Go's module such a Delete succeeds: zbus.e2e has its test.
  inexpressible: ['an id to delete that is a path'],
  transport: async () => {
    const redis = await startRedis()
    return {
      plugin: zbus({ broker: redis.broker.unix }),
      close: redis.close,
      caller: () => {
        const client = createClient({ broker: redis.broker.unix })
        const call = (method: string, ...args: unknown[]) => client.call('gateway', manager, method, args).catch(refused)
        return {
          set: async (what, id, fields) => {
            const host = await call(what === 'set-name' ? 'SetNamedProxy' : 'SetFQDNProxy', id, struct(fields))
            return typeof host === 'string' ? host : undefined
          },
          delete: async (id) => {
            await call('DeleteNamedProxy', id)
          },
          metrics: async () => {
            const { Request, Response } = (await call('Metrics')) as Record<'Request' | 'Response', Record<string, number>>
            const ids = [...new Set([...Object.keys(Request), ...Object.keys(Response)])]
            return Object.fromEntries(ids.map((id) => [id, { request: Request[id] ?? 0, response: Response[id] ?? 0 }]))
          },
          close: client.close,
        }
      },
    }
  },
})
