import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:tls'
import {
  createGateway,
  DnsWriter,
  definePlugin,
  type Op,
  type Plugin,
  parseOperation,
  type RunningGateway,
} from '../../../core/index.ts'
import {
  type AcmeOptions,
  acme,
  type DnsResolverOptions,
  dnsResolver,
  embedded,
  fqdnProxy,
  type HttpResolverOptions,
  httpResolver,
  level,
  nameProxy,
  staticNode,
} from '../../../plugins/index.ts'
import { bin } from '../../cli/gateway-process.ts'
import { type AcmeWorld, type HttpBackend, httpBackend, tempRoot } from '../../kit/index.ts'

export const domain = 'gw.example.org'

export interface Served {
  readonly gateway: RunningGateway
  readonly backend: HttpBackend
  readonly root: string
  /** What the gateway wrote. */
  readonly log: readonly string[]
  fqdn(host: string, options?: { wait?: 'live'; id?: string }): Promise<unknown>
  name(label: string, options?: { wait?: 'live' }): Promise<unknown>
  /** Whom a client that trusts `ca` sees, by the names in its certificate and by its fingerprint. Rejects with the client's reason. */
  seen(servername: string, ca: string): Promise<{ names: string | undefined; fingerprint: string }>
  certificate(name: string): ReturnType<RunningGateway['certificates']['list']>[number] | undefined
  /** The command line, asked of this gateway: it needs `httpApi()` for that. */
  run(...args: string[]): Promise<{ code: unknown; text: string }>
  close(): Promise<void>
}

/** A gateway that gets its certificates from the world's CA. */
export const serve = async (
  world: Pick<AcmeWorld, 'acme' | 'writer' | 'http' | 'https'>,
  o: {
    acme?: AcmeOptions
    http?: HttpResolverOptions
    named?: DnsResolverOptions
    dns?: Plugin
    more?: readonly Plugin[]
    root?: string
  } = {},
): Promise<Served> => {
  const backend = await httpBackend()
  const root = o.root ?? tempRoot('acme-gateway').path
  const log: string[] = []
  const plugins = [
    staticNode({ domain, ipv4: '127.0.0.1' }),
    fqdnProxy(),
    nameProxy(),
    httpResolver(o.http),
    dnsResolver(o.named),
    acme({ ...world.acme, ...o.acme }),
    o.dns ?? world.writer(),
    ...(o.more ?? []),
    level(),
    embedded({ http: { port: world.http }, https: { port: world.https }, drain: 1 }),
  ]
  const config = { plugins }
  const gateway = await createGateway(config, {
    root,
    log: (...said) => void log.push(JSON.stringify(said)),
    source: async () => config,
  })
  const set = (operation: object, options: { wait?: 'live' } = { wait: 'live' }) =>
    gateway.dispatch(parseOperation({ backends: [backend.url], ...operation }) as Op<'set-fqdn' | 'set-name'>, options)
  return {
    gateway,
    backend,
    root,
    log,
    fqdn: (host, { id = `1-2-${host.replaceAll('.', '-')}`, ...options } = { wait: 'live' }) =>
      set({ do: 'set-fqdn', id, fqdn: host }, options),
    name: (label, options) => set({ do: 'set-name', id: `1-2-${label}`, name: label }, options),
    async seen(servername, ca) {
      const client = connect({ port: world.https, host: '127.0.0.1', servername, ca })
      try {
        await once(client, 'secureConnect')
        const { subjectaltname, fingerprint256 } = client.getPeerCertificate()
        return { names: subjectaltname, fingerprint: fingerprint256 }
      } finally {
        client.destroy()
      }
    },
    certificate: (name) => gateway.certificates.list().find(({ names }) => names.includes(name)),
    run: (...args) =>
      new Promise((resolve) => {
        const env = { ...process.env, GATEWAY_ROOT: root }
        execFile(process.execPath, [bin, ...args], { env }, (error, stdout, stderr) =>
          resolve({ code: error?.code ?? 0, text: stdout + stderr }),
        )
      }),
    close: async () => {
      await gateway.close()
      await backend.close()
    },
  }
}

/** Answers to nothing and listens to nothing, until it is `well`. */
export const hanging = (world: AcmeWorld, state: { well: boolean }) => {
  const writer = world.writer()
  return definePlugin({
    name: 'dns-provider/hanging',
    kind: 'dns-provider',
    provides: { dns: DnsWriter },
    setup: async (core) => {
      const { api } = await writer.setup(core)
      const forever = () => new Promise<void>(() => undefined)
      return {
        api: {
          dns: {
            present: (fqdn, value, signal) => (state.well ? api.dns.present(fqdn, value, signal) : forever()),
            cleanup: (fqdn, value) => (state.well ? api.dns.cleanup(fqdn, value) : Promise.resolve()),
          },
        },
      }
    },
  })
}
