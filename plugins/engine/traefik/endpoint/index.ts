import { randomBytes } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Supervisor, version } from '../../../../core/index.ts'
import { writeFileAtomic } from '../../../../lib/atomic-file.ts'
import { connectEndpoint, type EndpointClient } from './client.ts'
import type { Facts } from './protocol.ts'

export interface EndpointOptions {
  /** Where its document, its socket and its token are kept; mode 0700. */
  readonly folder: string
  readonly netns?: string
  /** Absent: a free one, the same at every start if it can be. */
  readonly port?: number
  /** What a Traefik gets that asks before the gateway has said what is to be served: the last durable document, or nothing yet. */
  readonly first?: 'stored' | 'restored'
  readonly heard?: (facts: Facts) => void
}
export interface Endpoint {
  readonly client: EndpointClient
  /** The part `providers.http` of Traefik's static config. */
  readonly provider: Readonly<Record<string, unknown>>
  stop(): Promise<void>
}

/** Seconds that Traefik waits for an answer; an unchanged one is held until a second before. */
const pollTimeout = 60

/** Starts the endpoint of Traefik's http provider, or finds the one that an earlier gateway started. It lives on when the gateway goes. */
export const startEndpoint = async (supervisor: Supervisor, options: EndpointOptions): Promise<Endpoint> => {
  const { folder } = options
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const token = await keepToken(join(folder, 'token'))
  const told = Promise.withResolvers<Facts>()
  const client = connectEndpoint(join(folder, 'socket'), (facts) => {
    told.resolve(facts)
    options.heard?.(facts)
  })
  try {
    const service = await supervisor.run({
      name: 'traefik-endpoint',
      command: process.execPath,
      args: endpointArgs({ folder, port: options.port, wait: options.first === 'restored' }),
      keep: true,
      revision: version,
      probe: async () => client.facts() !== undefined,
      ...(options.netns !== undefined && { netns: options.netns }),
    })
    await service.ready
    const { port } = await told.promise
    return {
      client,
      provider: {
        endpoint: `http://127.0.0.1:${port}/`,
        pollInterval: '50ms',
        pollTimeout: `${pollTimeout}s`,
        headers: { Authorization: `Bearer ${token}` },
      },
      stop: async () => {
        await client.close()
        await service.stop()
      },
    }
  } catch (error) {
    await client.close()
    throw error
  }
}

/** What Node is to run, for the sources and for the built package. */
export const endpointArgs = ({
  folder,
  port,
  wait,
  hold,
}: {
  folder: string
  port?: number | undefined
  wait?: boolean
  hold?: number
}): string[] => {
  const main = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url))
  return [
    main,
    folder,
    '--hold',
    String(hold ?? (pollTimeout - 1) * 1_000),
    ...(port === undefined ? [] : ['--port', String(port)]),
    ...(wait ? ['--wait'] : []),
  ]
}

const keepToken = async (path: string): Promise<string> => {
  const found = await readFile(path, 'utf8').catch(() => '')
  if (/^[A-Za-z0-9_-]{43}$/.test(found)) return found
  const token = randomBytes(32).toString('base64url')
  await writeFileAtomic(path, token)
  return token
}
