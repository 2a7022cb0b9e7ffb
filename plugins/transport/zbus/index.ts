import { randomUUID } from 'node:crypto'
import {
  type Core,
  definePlugin,
  type Event,
  endpointsOf,
  type Gateway,
  GatewayError,
  knownOptions,
  reason,
} from '../../../core/index.ts'
import { readSecret, type Secret } from '../../../lib/secret.ts'
import { parseBroker, shownBroker, wrongPassword } from '../../../lib/zbus/broker.ts'
import type { Server } from '../../../lib/zbus/index.ts'
import { findBroker, usualBrokers } from './find-broker.ts'

export interface ZbusOptions {
  /** `unix:///path`, `tcp://[password@]host:port`, or `auto` (default): a Redis on this machine, where there is one when the gateway starts. */
  readonly broker?: string
  /** Where the broker's password stands, if not in its address: `{ file: path }` or `{ env: name }`. Read when the plugin starts. */
  readonly password?: Secret | undefined
  /** The module under which callers find the gateway. Default `gateway`. */
  readonly module?: string
  /** How many operations run at once; what arrives together is made durable together. Default 64. */
  readonly workers?: number
}

/** Takes operations from Go callers over Redis, as `manager@0.0.1` (what zos registers) and `gateway@0.0.1` (what the manual says). */
export const zbus = (options: ZbusOptions = {}) => {
  knownOptions('zbus', options, { broker: true, password: true, module: true, workers: true })
  const { broker = 'auto', password, module = 'gateway', workers = 64 } = options
  checkOptions(broker, password, module, workers)
  return definePlugin({
    name: 'transport/zbus',
    kind: 'transport',
    options,
    setup: async (core) => {
      const secret = password && (await readPassword(password))
      let serving: Promise<Server | undefined> | undefined
      return {
        // What is a broker's to keep waiting does not keep the gateway from serving.
        listen: (gateway) => {
          serving = serve(core, gateway, { broker, password: secret, module, workers }).catch((error) => {
            core.health('down', `zbus does not start: ${reason(error)}`)
            return undefined
          })
        },
        close: async () => (await serving)?.close(),
      }
    },
  })
}

interface Serving {
  readonly broker: string
  readonly password: string | undefined
  readonly module: string
  readonly workers: number
}

const serve = async (core: Core, gateway: Gateway, { broker, password, module, workers }: Serving) => {
  const found = broker === 'auto' ? await findBroker(usualBrokers, password !== undefined) : broker
  if (found === undefined) {
    core.log(`zbus is idle: no Redis at ${usualBrokers.join(', ')}; name one with zbus({ broker }) or --broker`)
    core.health('ok', undefined, { broker: 'none' })
    return undefined
  }
  const [{ createServer }, { gatewayMethods }] = await Promise.all([import('../../../lib/zbus/index.ts'), import('./methods.ts')])
  const parsed = { ...parseBroker(found), ...(password !== undefined && { password }) }
  const { host, port } = parsed
  if (host !== undefined && port !== undefined) endpointsOf(host, port).then(core.endpoints.declare)
  const name = shownBroker(parsed)
  const facts = () => ({
    broker: name,
    module,
    workers,
    unfetched: server.stats().unfetched,
    deadLetters: server.stats().deadLetters,
  })
  let lost: string | undefined
  const server = await createServer({
    broker: parsed,
    module,
    workers,
    instance: await instanceOf(core),
    onTrouble: (trouble) => {
      // The first reason is told; those of the tries after it add nothing.
      if (trouble !== undefined && lost !== undefined) return
      if (trouble === undefined) core.log(`zbus is back at ${name}`)
      else core.emit(unavailable(name, trouble))
      lost = trouble && `no broker at ${name}: ${trouble}`
      core.health(lost === undefined ? 'ok' : 'degraded', lost, facts())
    },
  })
  for (const [object, usual] of [['manager', 2] as const, ['gateway', 4] as const])
    server.register({ name: object, version: '0.0.1' }, gatewayMethods(gateway, usual))
  const timer = setInterval(() => core.health(lost === undefined ? 'ok' : 'degraded', lost, facts()), 10_000).unref()
  core.signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  core.health('ok', undefined, facts())
  if (!core.signal.aborted) server.start()
  return server
}

const unavailable = (name: string, why: string): Event => ({
  type: 'alarm',
  code: 'BROKER_UNAVAILABLE',
  message: `zbus has no broker at ${name}: ${why}`,
  fix: 'see that Redis runs there and lets this gateway in; it is tried again by itself',
})

/** Under this name the requests that were taken and not answered are found again after a crash. */
const instanceOf = async ({ state, log }: Core): Promise<string> => {
  const known = state.get('instance')
  if (known) return Buffer.from(known).toString()
  const made = randomUUID()
  // Callers hear from each operation what is wrong with the store; they hear nothing where zbus does not start.
  await state.set('instance', Buffer.from(made)).catch((error) => log(`the zbus instance is not kept: ${reason(error)}`))
  return made
}

const readPassword = (password: Secret): Promise<string> =>
  readSecret(password).catch((error) => {
    throw new GatewayError('CONFIG_INVALID', `password: ${reason(error)}`, 'put the password of the broker there', {
      cause: error,
    })
  })

const checkOptions = (broker: unknown, password: unknown, module: unknown, workers: unknown): void => {
  const bad = (what: string, fix: string, cause?: unknown) => new GatewayError('CONFIG_INVALID', `zbus: ${what}`, fix, { cause })
  if (typeof broker !== 'string') throw bad('broker is no text', "give 'auto', unix:///path or tcp://[password@]host:port")
  try {
    if (broker !== 'auto') parseBroker(broker)
  } catch (error) {
    throw bad(reason(error), "give 'auto', unix:///path or tcp://[password@]host:port", error)
  }
  const wrong = wrongPassword(broker, password)
  if (wrong) throw bad(wrong.what, wrong.fix)
  if (typeof module !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(module))
    throw bad('module is no name', 'give 1 to 64 letters, digits, - and _')
  if (typeof workers !== 'number' || !Number.isInteger(workers) || workers < 1 || workers > 1_024)
    throw bad(`workers is ${String(workers)}`, 'give a whole number from 1 to 1024')
}
