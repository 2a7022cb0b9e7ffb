import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import {
  asGatewayError,
  DnsHook,
  DnsWriter,
  definePlugin,
  GatewayError,
  knownOptions,
  NodeFacts,
  optional,
} from '../../../core/index.ts'
import { canonicalHost } from '../../../lib/host.ts'
import { shown } from '../../../lib/shown.ts'
import { answerer } from './answer.ts'

export interface DnsHookOptions {
  /** Domains for whose challenges values are taken, and for what is below them. Default: the domain of the node's public config. */
  readonly zones?: readonly string[]
  /** The unix socket that the program asks. Default `dns-hook.sock` in the root. */
  readonly socket?: string
  /** That the DNS provider has for one value; below the 10 s after which the program gives up. Default 9. */
  readonly seconds?: number
}

/**
 * Lets Traefik write dns-01 challenges through this gateway's DNS provider: the program `gateway-dns-hook`, which lego's exec provider
 * runs, asks a unix socket of mode 0600, and this plugin answers there. docs/dns-hook.md
 */
export const dnsHook = (options: DnsHookOptions = {}) => {
  knownOptions('dnsHook', options, { zones: true, socket: true, seconds: true })
  const zones = options.zones?.map(zone)
  const { seconds = 9 } = options
  if (!(seconds > 0 && seconds <= 9)) throw invalid(`seconds is ${shown(String(seconds))}`, 'give seconds above 0, at most 9')
  return definePlugin({
    name: 'service/dns-hook',
    kind: 'service',
    options,
    needs: { dns: DnsWriter, node: optional(NodeFacts) },
    provides: { hook: DnsHook },
    async setup({ dns, node, root, log, listen, health }) {
      if (!zones && !node)
        throw new GatewayError(
          'CONFIG_INVALID',
          'dnsHook: nothing says for which domains values are taken',
          "give dnsHook({ zones: ['gent01.grid.tf'] }), or add staticNode({ domain })",
        )
      const socket = options.socket ?? join(root, 'dns-hook.sock')
      const ownZones = async (signal: AbortSignal): Promise<readonly string[]> =>
        zones ?? [(await node?.publicConfig(signal))?.domain].filter((domain) => domain !== undefined)
      const answers = answerer({ dns, ownZones, seconds, log })
      const listener = await listen({ path: socket, mode: 0o600 }, answers.accept).catch((error: unknown) => {
        const { code, message } = asGatewayError(error)
        throw new GatewayError(code, `the DNS hook cannot listen: ${message}`, 'choose another path with dnsHook({ socket })', {
          cause: error,
        })
      })
      health('ok', undefined, { socket })
      return {
        api: { hook: { command, env: environment(socket) } },
        async close() {
          await listener.close()
          await answers.close()
        },
      }
    },
  })
}

const program = 'gateway-dns-hook'
/** In a bundle a command beside its Node, since nobody there finds a script's `node`. */
const bundled = join(dirname(process.execPath), program)
const command = existsSync(join(dirname(process.execPath), '..', 'manifest.json'))
  ? bundled
  : join(dirname(createRequire(import.meta.url).resolve('zos-gateway/package.json')), 'bin', `${program}.js`)

const environment = (socket: string): DnsHook['env'] => ({
  EXEC_PATH: command,
  // Seconds. The value is there once `present` returned, so nothing is gained by lego's 60 s between two domains.
  EXEC_PROPAGATION_TIMEOUT: '60',
  EXEC_POLLING_INTERVAL: '1',
  EXEC_SEQUENCE_INTERVAL: '1',
  GATEWAY_DNS_SOCKET: socket,
  // The program's first line looks for `node` there; the one that runs this gateway is sure to be.
  PATH: [dirname(process.execPath), process.env.PATH].filter(Boolean).join(delimiter),
})

const zone = (text: unknown): string => {
  const host = typeof text === 'string' ? canonicalHost(text) : undefined
  if (!host) throw invalid(`zone '${shown(String(text))}' is no host name`, 'give zones such as gent01.grid.tf')
  return host
}

const invalid = (message: string, fix: string): GatewayError => new GatewayError('CONFIG_INVALID', `dnsHook: ${message}`, fix)
