import { GatewayError, type Neighbours, reason } from '../../../core/index.ts'
import type { Broker, Client } from '../../../lib/zbus/index.ts'

const usual = 10_000

/** The other modules over one pair of connections, opened at the first call. */
export const neighbours = (broker: () => Promise<Broker>): { readonly api: Neighbours; close(): Promise<void> } => {
  let opening: Promise<{ readonly client: Client; readonly Refused: abstract new (...args: never) => Error }> | undefined
  const open = async () => {
    const { CallError, createClient } = await import('../../../lib/zbus/index.ts')
    return { client: createClient({ broker: await broker() }), Refused: CallError }
  }
  return {
    api: {
      async call(module, object, method, args, { signal, timeout = usual }) {
        opening ??= open()
        const { client, Refused } = await opening.catch((error) => {
          opening = undefined
          throw unavailable(module, method, reason(error), error)
        })
        const [name = '', version = ''] = object.split('@')
        try {
          return { value: await client.call(module, { name, version }, method, args, { timeout, signal }) }
        } catch (thrown) {
          if (thrown instanceof Refused) return { refused: thrown.message }
          signal.throwIfAborted()
          throw unavailable(module, method, isTimeout(thrown) ? `no answer within ${timeout / 1_000} s` : reason(thrown), thrown)
        }
      },
    },
    close: async () => (await opening?.catch(() => undefined))?.client.close(),
  }
}

/** What to say of a module that gave no usable answer. */
export const unavailable = (module: string, method: string, why: string, cause?: unknown): GatewayError =>
  new GatewayError(
    'NEIGHBOUR_UNAVAILABLE',
    `the module ${module} of this node gave no usable answer to ${method}: ${why}`,
    `see that ${module} runs and is on the same broker; then ask again`,
    { cause },
  )

const isTimeout = (thrown: unknown): boolean => thrown instanceof Error && thrown.name === 'TimeoutError'
