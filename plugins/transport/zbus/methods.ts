import { type Answers, type Gateway, GatewayError, type Operation, parseOperation } from '../../../core/index.ts'
import { tenantOf } from '../../../lib/workload-id.ts'
import { deleteArguments, metricsArguments, type Read, setArguments } from '../../../lib/zbus/arguments.ts'
import type { Methods } from '../../../lib/zbus/index.ts'

/** What callers can ask of the gateway. `usual`: how many arguments a Set of this object's own callers has; both forms are taken. */
export const gatewayMethods = (gateway: Pick<Gateway, 'dispatch'>, usual: 2 | 4): Methods => {
  const method =
    (read: Read, result: (answer: Answers[Operation['do']]) => unknown) =>
    async (args: readonly unknown[]): Promise<unknown> => {
      try {
        return result(await gateway.dispatch(parseOperation(read(args))))
      } catch (error) {
        // The codes and what to do, of every problem at once.
        throw error instanceof GatewayError ? new Error(error.text, { cause: error }) : error
      }
    }
  return {
    SetNamedProxy: { call: method(setArguments('name', usual), hostOf), empty: '', tenant },
    SetFQDNProxy: { call: method(setArguments('fqdn', usual), nothing), tenant },
    DeleteNamedProxy: { call: deleteOf(method(deleteArguments, nothing)), tenant },
    Metrics: { call: method(metricsArguments, bytesOf), empty: { Request: {}, Response: {} }, floats: true, pure: true },
  }
}

/** No workload can have an id that is refused, so nothing of it is served, and Go's module answers so too. */
const deleteOf =
  (call: (args: readonly unknown[]) => Promise<unknown>) =>
  (args: readonly unknown[]): Promise<unknown> =>
    call(args).catch((error: Error) => {
      if (error.cause instanceof GatewayError && error.cause.code === 'INVALID_ID') return undefined
      throw error
    })

const nothing = () => undefined
const tenant = (id: unknown): string => (typeof id === 'string' ? tenantOf(id) : '')
const hostOf = (answer: Answers[Operation['do']]): string => (answer && 'host' in answer ? answer.host : '')

const bytesOf = (answer: Answers[Operation['do']]) => {
  const sums = answer && 'entries' in answer ? [...answer] : []
  return {
    Request: Object.fromEntries(sums.map(([id, { request }]) => [id, request])),
    Response: Object.fromEntries(sums.map(([id, { response }]) => [id, response])),
  }
}
