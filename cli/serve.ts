import { verb } from './verb.ts'

/** What `run` of run.ts takes: flags as given, unchecked. */
export interface RunFlags {
  /** `unix:///path` or `tcp://[password@]host:port` of the Redis that zbus callers use. */
  readonly broker?: string | undefined
  /** A file with its password. */
  readonly 'broker-password-file'?: string | undefined
  readonly root?: string | undefined
  readonly workers?: string | undefined
  readonly config?: string | undefined
  /** A set of plugins by name, instead of a config file. */
  readonly preset?: string | undefined
  /** Ports of plain HTTP, of HTTPS and of the HTTP API. */
  readonly http?: string | undefined
  readonly https?: string | undefined
  readonly api?: string | undefined
  /** Network namespace of what faces the public. */
  readonly netns?: string | undefined
  /** What keeps the processes of the preset zos alive. */
  readonly supervisor?: string | undefined
  /** Run in a child of a small process that holds the sockets. */
  readonly upgradable?: boolean | undefined
  readonly quiet?: boolean | undefined
  /** Serves nobody, and compares itself with the Go module that does. */
  readonly shadow?: boolean | undefined
  /** Root of the Go module, or its folder of route files. */
  readonly from?: string | undefined
  readonly json?: boolean | undefined
}

export default verb({
  about:
    'Without a config file it serves names under gw.localhost on ports 8080 and 8443.\n' +
    'It runs in the foreground until SIGTERM or Ctrl-C, which drain open connections; SIGHUP reloads the config.\n' +
    'Every flag can be given as a variable too: GATEWAY_ROOT, GATEWAY_HTTP and so on; the flag goes first.',
  args: {
    config: { type: 'string', valueHint: 'file', description: 'Config file (default: gateway.config.ts or .mts in this folder)' },
    preset: { type: 'string', valueHint: 'local|zos', description: 'A shipped set of plugins, instead of a config file' },
    root: { type: 'string', valueHint: 'folder', description: 'Folder of state, certificates and the unix socket' },
    broker: {
      type: 'string',
      valueHint: 'url',
      description: 'Redis of zbus callers: unix:///path or tcp://[password@]host:port',
    },
    'broker-password-file': {
      type: 'string',
      valueHint: 'file',
      description: 'File with the password of that Redis (or GATEWAY_BROKER_PASSWORD)',
    },
    workers: { type: 'string', valueHint: 'n', description: 'Operations of zbus callers that run at once' },
    netns: {
      type: 'string',
      valueHint: 'name',
      description: "Network namespace of Traefik and dnsmasq; none: the gateway's own (preset zos; default: public)",
    },
    supervisor: {
      type: 'string',
      valueHint: 'zinit|processes',
      description: 'What keeps Traefik and dnsmasq alive (preset zos; default: zinit where the machine has it)',
    },
    http: { type: 'string', valueHint: 'port', description: 'Port of plain HTTP (default: 8080)' },
    https: { type: 'string', valueHint: 'port', description: 'Port of HTTPS (default: 8443)' },
    api: { type: 'string', valueHint: 'port', description: 'Port of the HTTP API on 127.0.0.1 (default: 8070)' },
    shadow: {
      type: 'boolean',
      description: 'Serve nobody: hear what the local Go module is asked, and report what would be done otherwise',
    },
    from: {
      type: 'string',
      valueHint: 'folder',
      description: 'With --shadow: root of the Go module, or its folder of routes (default: /var/run/cache/gateway)',
    },
    json: { type: 'boolean', description: 'With --shadow: report in JSON, an object a line' },
    upgradable: {
      type: 'boolean',
      description: 'Sockets are held by a small process: `gateway upgrade` (or SIGUSR2) and a crash refuse nobody',
    },
    quiet: { type: 'boolean', description: 'Say nothing on stdout when it is up' },
    verbose: { type: 'boolean', description: 'Show the stack of an error that ends it' },
  },
  examples: [
    'gateway',
    'gateway --root /var/lib/gateway --http 80 --https 443',
    'gateway --preset zos --broker unix:///var/run/redis.sock --root /var/cache/modules/gateway',
    'gateway --shadow --preset zos --root /var/cache/modules/gateway',
  ],
  run: async (flags) => (flags.shadow ? (await shadowing()).shadow(flags) : (await starting()).run(flags)),
})

const starting = () => import('./run.ts')
const shadowing = () => import('./shadow.ts')
