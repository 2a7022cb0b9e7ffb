import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Supervised, Supervisor } from '../../../../core/index.ts'
import { nodeProgram } from '../../../../lib/node-program.ts'
import { connectRelay, type RelayClient } from './client.ts'
import type { RelaySettings } from './protocol.ts'

export interface RelayOptions {
  /** Where its socket, its routes and its counters are kept; mode 0700. */
  readonly folder: string
  /** On loopback, for the proxy in front alone; absent: it only reads the proxy's own counters. */
  readonly port: number | undefined
  readonly settings: RelaySettings
  readonly netns?: string
  /** It lives on when the gateway goes. */
  readonly keep?: boolean
}
export interface RunningRelay {
  readonly client: RelayClient
  /** Where the proxy in front sends what it passes through. */
  readonly address: string
  readonly service: Supervised
  /** For `close` of the engine. */
  close(): Promise<void>
}

/** Raised when a running relay has to be replaced by this version's: that cuts what is passed through. */
const revision = '3'

/** Starts the relay, or finds the one that an earlier gateway started; it may be ready later. Rejects with PROCESS_FAILED. */
export const startRelay = async (supervisor: Supervisor, options: RelayOptions): Promise<RunningRelay> => {
  const { folder, port, settings, netns, keep = false } = options
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const client = connectRelay(join(folder, 'socket'), settings)
  try {
    const service = await supervisor.run({
      name: 'traefik-relay',
      command: process.execPath,
      args: relayArgs({ folder, port }),
      keep,
      revision,
      probe: async () => client.ready(),
      ...(netns !== undefined && { netns }),
    })
    return {
      client,
      service,
      address: `127.0.0.1:${port}`,
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
export const relayArgs = ({ folder, port }: Pick<RelayOptions, 'folder' | 'port'>): string[] => {
  return [...nodeProgram(import.meta.url, 'main'), folder, ...(port === undefined ? [] : ['--port', String(port)])]
}
