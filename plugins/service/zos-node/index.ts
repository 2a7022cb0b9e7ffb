import { definePlugin, endpointsOf, GatewayError, knownOptions, Neighbours, NodeFacts, reason } from '../../../core/index.ts'
import type { Secret } from '../../../lib/secret.ts'
import { shown } from '../../../lib/shown.ts'
import { parseBroker, readBroker, wrongPassword } from '../../../lib/zbus/broker.ts'
import { nodeFacts } from './facts.ts'
import { neighbours } from './neighbours.ts'
import { strayReport } from './stray.ts'

export interface ZosNodeOptions {
  /** The Redis of the node. Default `unix:///var/run/redis.sock`. */
  readonly broker?: string
  /** Where its password stands, if not in `broker`: `{ file: path }` or `{ env: name }`. Read at the first call. */
  readonly password?: Secret | undefined
  /** Seconds that networkd has to answer; 10 by default. */
  readonly timeout?: number
  /** Seconds between looks for a change of the public config; 60 by default. */
  readonly refresh?: number
}

/**
 * What a Zero-OS node is to the outside, as its networkd says, and the way to ask the node's other modules. Each Set asks networkd anew,
 * at most once a second; while networkd gives no usable answer its last one holds.
 */
export const zosNode = (options: ZosNodeOptions = {}) => {
  knownOptions('zosNode', options, { broker: true, password: true, timeout: true, refresh: true })
  const { broker = 'unix:///var/run/redis.sock', password, timeout = 10, refresh = 60 } = options
  check(broker, password, timeout, refresh)
  return definePlugin({
    name: 'service/zos-node',
    kind: 'service',
    options,
    provides: { node: NodeFacts, neighbours: Neighbours },
    setup: (core) => {
      const { host, port } = parseBroker(broker)
      if (host !== undefined && port !== undefined) endpointsOf(host, port).then(core.endpoints.declare)
      const others = neighbours(() => readBroker(broker, password))
      const node = nodeFacts({
        neighbours: others.api,
        timeout: timeout * 1_000,
        refresh: refresh * 1_000,
        signal: core.signal,
        found: (config) => core.health('ok', undefined, { ...config }),
        failed: (why) => core.health('degraded', why),
        changed: (config) =>
          core.log(config ? 'the public config of the node is there' : 'the node has no public config', { ...config }),
        looked: strayReport(core),
      })
      return { api: { node: node.api, neighbours: others.api }, close: () => others.close() }
    },
  })
}

const check = (broker: string, password: unknown, timeout: unknown, refresh: unknown): void => {
  try {
    parseBroker(String(broker))
  } catch (error) {
    throw invalid(reason(error), 'give unix:///path or tcp://[password@]host:port')
  }
  const wrong = wrongPassword(broker, password)
  if (wrong) throw invalid(wrong.what, wrong.fix)
  if (!(typeof timeout === 'number' && timeout >= 0.1 && timeout <= 40))
    throw invalid(`timeout is ${shown(String(timeout))}`, 'give seconds from 0.1 to 40')
  if (!(typeof refresh === 'number' && refresh >= 0.1 && refresh <= 86_400))
    throw invalid(`refresh is ${shown(String(refresh))}`, 'give seconds from 0.1 to 86400')
}
const invalid = (what: string, fix: string): GatewayError => new GatewayError('CONFIG_INVALID', `zosNode: ${what}`, fix)
