import { definePlugin, GatewayError, knownOptions, Neighbours, Supervisor } from '../../../core/index.ts'
import { shown } from '../../../lib/shown.ts'
import { reaching } from './reaching.ts'

export interface NncOptions {
  /** The program. Default `nnc`, found in PATH. */
  readonly command?: string
  /** The network namespace in which the engine dials, and so in which nnc listens. Default: the gateway's own. */
  readonly netns?: string
  /** Ports of 127.0.0.1, the first and the last, of which each backend takes one. Default 20000 to 32767. */
  readonly ports?: readonly [number, number]
  /** Seconds that networkd has for each of its two answers; 10 by default. */
  readonly timeout?: number
  /** Seconds that connections through an nnc have to end once no route dials it; 30 by default. */
  readonly drain?: number
  /** The folder of the files of network namespaces. Default `/var/run/netns`. */
  readonly namespaces?: string
}

/**
 * Reaches backends in the private network of a tenant on a Zero-OS node: networkd says in which network namespace they are, and for each
 * backend an `nnc` listens on loopback and dials there. They outlive the gateway and are taken over at its next start.
 */
export const nnc = (options: NncOptions = {}) => {
  knownOptions('nnc', options, { command: true, netns: true, ports: true, timeout: true, drain: true, namespaces: true })
  const { command = 'nnc', netns, ports = [20_000, 32_767], timeout = 10, drain = 30, namespaces = '/var/run/netns' } = options
  check(ports, timeout, drain)
  return definePlugin({
    name: 'reach/nnc',
    kind: 'reach',
    options,
    needs: { neighbours: Neighbours, supervisor: Supervisor },
    setup: (core) => {
      const [port, lastPort] = ports
      core.endpoints.declare([{ port, lastPort }])
      return reaching(core, { command, netns, namespaces, ports, timeout: timeout * 1_000, drain: drain * 1_000 })
    },
  })
}

const check = (ports: readonly unknown[], timeout: unknown, drain: unknown): void => {
  const [first, last] = ports.map((port) => (Number.isInteger(port) ? Number(port) : Number.NaN))
  if (ports.length !== 2 || !(Number(first) >= 1_024 && Number(last) <= 65_535 && Number(first) <= Number(last)))
    throw invalid(`ports are ${shown(ports.join(', '))}`, 'give the first and the last, from 1024 to 65535')
  if (!(typeof timeout === 'number' && timeout >= 0.1 && timeout <= 20))
    throw invalid(`timeout is ${shown(String(timeout))}`, 'give seconds from 0.1 to 20')
  if (!(typeof drain === 'number' && drain >= 0 && drain <= 600))
    throw invalid(`drain is ${shown(String(drain))}`, 'give seconds from 0 to 600')
}
const invalid = (what: string, fix: string): GatewayError => new GatewayError('CONFIG_INVALID', `nnc: ${what}`, fix)
