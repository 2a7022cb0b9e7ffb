import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '../../test/kit/port.ts'
import { traefikPath } from '../../test/kit/programs.ts'
import { builtPackage } from './package.ts'
import { residentBytes } from './proc.ts'
import { type Started, start } from './process.ts'

export interface GatewayProcess extends Started {
  readonly root: string
  readonly https: number
  /** Serves in the clear what `https` serves. */
  readonly http: number
  /** How often Traefik took another configuration. */
  rebuilds(): Promise<number>
  /** Bytes after a full collection. */
  memory(): Promise<{ readonly resident: number; readonly heap: number }>
}
export interface How {
  readonly root: string
  readonly durability?: 'power' | 'process'
  readonly broker?: string
  /** Traefik as the engine, and how it gets its routes; absent: the embedded one. */
  readonly traefik?: 'files' | 'http'
  /** The port of Node's inspector; absent: none. */
  readonly inspect?: number
  readonly say: (line: string) => void
  /** Taken as ready when this resolves, instead of when it says so. */
  readonly until?: (https: number) => Promise<unknown>
}

export const domain = 'bench.example.org'

/** The gateway as a process of its own, out of the built package, with every plugin of a usual config and nothing extra. */
export const startGateway = async ({
  root,
  durability = 'power',
  broker,
  traefik,
  inspect,
  say,
  until,
}: How): Promise<GatewayProcess> => {
  const built = await builtPackage(say)
  const [https, http] = [await freePort(), await freePort()]
  const memory = join(root, 'memory.json')
  const apiPort = await freePort()
  const [overHttp, relay] = [await freePort(), await freePort()]
  const engine = traefik
    ? traefikEngine({ https, http, api: apiPort, overHttp, relay, routes: traefik })
    : embedded({ https, http })
  writeFileSync(join(root, 'bench.config.mjs'), config({ engine, durability, broker, memory }))
  const looked = inspect === undefined ? [] : [`--inspect=127.0.0.1:${inspect}`]
  const args = [
    '--expose-gc',
    ...looked,
    join(built, 'bin/gateway.js'),
    '--root',
    root,
    '--config',
    join(root, 'bench.config.mjs'),
  ]
  const started = await start(process.execPath, args, {
    cwd: root,
    within: 120,
    ...(until ? { until: () => until(https) } : { says: 'is up' }),
  })
  return { ...started, root, https, http, memory: () => collected(started.pid, memory), rebuilds: () => reloadsOf(apiPort) }
}

const embedded = ({ https, http }: Ports) => `plugins.embedded({
      http: { host: '127.0.0.1', port: ${http}, redirect: false },
      https: { host: '127.0.0.1', port: ${https} },
      // All load comes from one address. They are counted as with the usual numbers.
      limits: { clientConnections: 100_000, clientHandshakes: 100_000, clientFailures: 100_000 },
    }),`
const traefikEngine = ({
  https,
  http,
  api,
  overHttp,
  relay,
  routes,
}: Ports & { readonly api: number; overHttp: number; relay: number; routes: string }) => `plugins.processes(),
    plugins.traefik({
      command: '${traefikPath()}',
      http: { host: '127.0.0.1', port: ${http} },
      https: { host: '127.0.0.1', port: ${https} },
      api: { port: ${api} },
      issue: 'gateway',
      routes: '${routes}',
      overHttp: { port: ${overHttp} },
      relay: { port: ${relay} },
    }),`

interface Ports {
  readonly https: number
  readonly http: number
}
interface Given {
  readonly engine: string
  readonly durability: string
  readonly broker: string | undefined
  readonly memory: string
}
const config = (o: Given): string => `
import { renameSync, writeFileSync } from 'node:fs'
import { defineGateway } from 'zos-gateway'
import * as plugins from 'zos-gateway/plugins'
process.on('SIGUSR2', () => {
  for (let i = 0; i < 3; i++) gc()
  writeFileSync('${o.memory}.new', JSON.stringify(process.memoryUsage()))
  renameSync('${o.memory}.new', '${o.memory}')
})
export default defineGateway({
  plugins: [
    plugins.staticNode({ domain: '${domain}', ipv4: '198.51.100.7' }),
    plugins.fqdnProxy(),
    plugins.nameProxy(),
    plugins.tlsPassthrough(),
    plugins.localCa(),
    plugins.backends({ allow: ['127.0.0.0/8'] }),
    ${o.engine}
    plugins.level({ durability: '${o.durability}' }),
    plugins.traffic(),
    plugins.httpApi({ tcp: false }),
    ${o.broker ? `plugins.zbus({ broker: '${o.broker}' }),` : ''}
  ],
})
`

const reloadsOf = async (port: number): Promise<number> => {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return Number(/^traefik_config_reloads_total(?:\{[^}]*\})? (\S+)$/m.exec(metrics)?.[1] ?? 0)
}

const collected = async (pid: number, file: string) => {
  rmSync(file, { force: true })
  process.kill(pid, 'SIGUSR2')
  while (!existsSync(file)) await wait(20)
  const told: { heapUsed: number } = JSON.parse(readFileSync(file, 'utf8'))
  return { resident: residentBytes(pid), heap: told.heapUsed }
}
