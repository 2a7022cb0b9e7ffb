import { randomBytes } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Supervisor } from '../../../../core/index.ts'
import { writeFileAtomic } from '../../../../lib/atomic-file.ts'
import { nodeProgram } from '../../../../lib/node-program.ts'
import { connectEndpoint, type EndpointClient } from './client.ts'

export interface EndpointOptions {
  /** Where its document, its socket and its token are kept; mode 0700. */
  readonly folder: string
  /** On 127.0.0.1, for Traefik alone. */
  readonly port: number
  readonly netns?: string | undefined
  /** It lives on when the gateway goes. */
  readonly keep: boolean
  /** What a Traefik gets that asks before the gateway has said what is to be served: the last durable document, or nothing yet. */
  readonly first: 'stored' | 'restored'
  readonly onExit: (reason: string) => void
}
export interface Endpoint {
  readonly client: EndpointClient
  /** For `close` of the engine. */
  close(): Promise<void>
}

/** Seconds that Traefik waits for the end of an answer, and that it has to read a large one on a busy machine: late is an error to it. */
const pollTimeout = 60
const reading = 10
/** Raised when a running endpoint has to be replaced by this version's. */
const revision = '2'

/** The part `providers.http` of Traefik's static config, which has to stand before the endpoint does. */
export const httpProvider = async ({ folder, port }: Pick<EndpointOptions, 'folder' | 'port'>): Promise<object> => {
  const token = await keepToken(folder)
  return {
    endpoint: `http://127.0.0.1:${port}/`,
    pollInterval: '50ms',
    pollTimeout: `${pollTimeout}s`,
    headers: { Authorization: `Bearer ${token}` },
  }
}

/** Starts the endpoint of Traefik's http provider, or finds the one that an earlier gateway started; it may be ready later. */
export const startEndpoint = async (supervisor: Supervisor, options: EndpointOptions): Promise<Endpoint> => {
  const { folder, port, netns, keep, first, onExit } = options
  await keepToken(folder)
  const client = connectEndpoint(join(folder, 'socket'))
  try {
    const service = await supervisor.run({
      name: 'traefik-endpoint',
      command: process.execPath,
      args: endpointArgs({ folder, port, wait: first === 'restored' }),
      keep,
      revision,
      probe: async () => client.facts() !== undefined,
      onExit,
      ...(netns !== undefined && { netns }),
    })
    return {
      client,
      close: async () => {
        await client.close()
        await service.release()
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
  port: number
  wait?: boolean
  hold?: number
}): string[] => {
  const options = ['--hold', String(hold ?? (pollTimeout - reading) * 1_000), '--port', String(port), ...(wait ? ['--wait'] : [])]
  // A small young generation: nearly all there is stays, and a large one would only take memory.
  return ['--max-semi-space-size=2', ...nodeProgram(import.meta.url, 'main'), folder, ...options]
}

const keepToken = async (folder: string): Promise<string> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, 'token')
  const found = await readFile(path, 'utf8').catch(() => '')
  if (/^[A-Za-z0-9_-]{43}$/.test(found)) return found
  const token = randomBytes(32).toString('base64url')
  await writeFileAtomic(path, token)
  return token
}
