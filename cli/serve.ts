import { GatewayError } from '../core/errors.ts'
import { verb } from './verb.ts'

/** What `run` of run.ts takes: flags as given, unchecked but for `workers`. */
export interface RunFlags {
  /** `unix:///path` or `tcp://[password@]host:port` of the Redis that zbus callers use. */
  readonly broker?: string | undefined
  readonly root?: string | undefined
  readonly workers?: number | undefined
  readonly config?: string | undefined
  /** `[address:]port` of plain HTTP and of HTTPS, instead of what the config says. */
  readonly http?: string | undefined
  readonly https?: string | undefined
}

export default verb({
  about:
    'Without a config file it serves names under gw.localhost on ports 8080 and 8443.\n' +
    'It runs in the foreground until SIGTERM or Ctrl-C, which drain open connections.',
  args: {
    config: { type: 'string', valueHint: 'file', description: 'Config file (default: gateway.config.ts or .mts in this folder)' },
    root: { type: 'string', valueHint: 'folder', description: 'Folder of state, certificates and the unix socket' },
    broker: {
      type: 'string',
      valueHint: 'url',
      description: 'Redis of zbus callers: unix:///path or tcp://[password@]host:port',
    },
    workers: { type: 'string', valueHint: 'n', description: 'Operations of zbus callers that run at once' },
    http: { type: 'string', valueHint: 'port', description: 'Port of plain HTTP, or address:port' },
    https: { type: 'string', valueHint: 'port', description: 'Port of HTTPS, or address:port' },
  },
  examples: [
    'gateway',
    'gateway --root /var/lib/gateway --http 80 --https 443',
    'gateway --broker unix:///var/run/redis.sock --root /var/cache/modules/gateway',
  ],
  run: async ({ broker, root, config, http, https, workers }) => {
    const { run } = await import('./run.ts')
    await run({ broker, root, config, http, https, workers: workers === undefined ? undefined : count(workers) })
  },
})

const count = (text: string): number => {
  if (/^[1-9][0-9]{0,3}$/.test(text)) return Number(text)
  throw new GatewayError('BAD_REQUEST', `--workers ${JSON.stringify(text)} is no count`, 'give a number from 1 to 9999')
}
