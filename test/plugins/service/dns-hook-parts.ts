import {
  createGateway,
  DnsHook,
  DnsWriter,
  definePlugin,
  type Plugin,
  type RunningGateway,
  type DnsWriter as Writer,
} from '../../../core/index.ts'
import { type DnsHookOptions, dnsHook, memory, staticNode } from '../../../plugins/index.ts'
import { follow, type GatewayProcess } from '../../cli/gateway-process.ts'
import { tempRoot } from '../../kit/index.ts'

export const value = 'Zm9yLWEtdGVzdC1mb3J0eS10aHJlZS1jaGFyYWN0ZXI'
export const name = '_acme-challenge.gw.example.org.'
/** The same as the provider is told. */
export const told = '_acme-challenge.gw.example.org'

/** A DNS provider that writes to nobody and keeps what it was told; the tests make it fail or wait. */
export const remember = () => {
  const told: string[] = []
  const state = {
    told,
    present: async (_: AbortSignal): Promise<void> => undefined,
    cleanedUp: async (): Promise<void> => undefined,
  }
  const dns: Writer = {
    async present(fqdn, text, signal) {
      told.push(`present ${fqdn} ${text}`)
      await state.present(signal)
    },
    async cleanup(fqdn, text) {
      told.push(`cleanup ${fqdn} ${text}`)
      await state.cleanedUp()
    },
  }
  const plugin = definePlugin({
    name: 'dns-provider/remember',
    kind: 'dns-provider',
    provides: { dns: DnsWriter },
    setup: () => ({ api: { dns } }),
  })
  return { plugin, state }
}

export interface Hooked {
  readonly gateway: RunningGateway
  readonly hook: DnsHook
  readonly told: readonly string[]
  readonly state: ReturnType<typeof remember>['state']
  readonly log: readonly string[]
  /** The program as lego runs it: by its path, in the environment that the capability gives and nothing else. */
  run(...args: string[]): GatewayProcess
  [Symbol.asyncDispose](): Promise<void>
}

/** A gateway for gw.example.org with the hook and a DNS provider that remembers. */
export const hooked = async (options: DnsHookOptions = {}, more: readonly Plugin[] = []): Promise<Hooked> => {
  const root = tempRoot('hook')
  const { plugin, state } = remember()
  const log: string[] = []
  let hook: DnsHook | undefined
  const taker = definePlugin({
    name: 'service/taker',
    kind: 'service',
    needs: { hook: DnsHook },
    setup: (given) => {
      hook = given.hook
      return {}
    },
  })
  const gateway = await createGateway(
    { plugins: [memory(), staticNode({ domain: 'gw.example.org' }), plugin, dnsHook(options), taker, ...more] },
    { root: root.path, log: (level, message, fields) => void log.push(`${level} ${message} ${JSON.stringify(fields)}`) },
  )
  if (!hook) throw new Error('no hook was given')
  const { command, env } = hook
  return {
    gateway,
    hook,
    told: state.told,
    state,
    log,
    run: (...args) => follow(command, args, { cwd: '/', env: { ...env } }),
    [Symbol.asyncDispose]: async () => {
      await gateway.close()
      await root.remove()
    },
  }
}
