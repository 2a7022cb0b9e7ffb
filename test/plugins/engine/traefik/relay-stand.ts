import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { onTestFinished, vi } from 'vitest'
import type { Bytes, WorkloadId } from '../../../../core/index.ts'
import { parseBackend } from '../../../../lib/backend.ts'
import { proxyHeader } from '../../../../lib/proxy-protocol.ts'
import { connectRelay, type RelayClient } from '../../../../plugins/engine/traefik/relay/client.ts'
import type { RelayRoute, RelaySettings } from '../../../../plugins/engine/traefik/relay/protocol.ts'
import { relayArgs } from '../../../../plugins/engine/traefik/relay/service.ts'
import { clientHello, freePort, type Http1, http1, openTcp, tempRoot } from '../../../kit/index.ts'

export interface Stand {
  readonly port: number
  readonly folder: string
  readonly client: RelayClient
  /** The running process. */
  readonly process: ChildProcess
  kill(): Promise<void>
  start(): Promise<void>
  /** Another gateway's side, as after a restart of the gateway. */
  connect(): RelayClient
  bytes(id: string): Promise<Bytes | undefined>
}

const settings = { hello: 2_000, connect: 2_000, retry: 500 }

/** A relay as a process of its own, and the gateway's side of it. */
export const relayStand = async (args: readonly string[] = [], more: Partial<RelaySettings> = {}): Promise<Stand> => {
  const root = tempRoot('relay')
  const port = await freePort()
  onTestFinished(() => root.remove())
  let running: ChildProcess | undefined
  const kill = async () => {
    if (!running || running.exitCode !== null || running.signalCode !== null) return
    running.kill('SIGKILL')
    await once(running, 'exit')
  }
  const start = async () => {
    running = spawn(process.execPath, [...relayArgs({ folder: root.path, port }), ...args], { stdio: 'inherit' })
    await vi.waitFor(
      async () => {
        ;(await openTcp({ port })).destroy()
        await stat(`${root.path}/socket`)
      },
      { timeout: 30_000 },
    )
  }
  onTestFinished(kill)
  const connect = () => {
    const client = connectRelay(`${root.path}/socket`, { ...settings, ...more })
    onTestFinished(client.close)
    return client
  }
  const client = connect()
  await start()
  return {
    port,
    folder: root.path,
    client,
    get process() {
      if (!running) throw new Error('the relay was not started')
      return running
    },
    kill,
    start,
    connect,
    bytes: async (id) => (await client.read(AbortSignal.timeout(5_000))).bytes.get(id as WorkloadId),
  }
}

export const relayRoute = (
  id: string,
  host: string,
  addresses: readonly string[],
  rest: Partial<RelayRoute> = {},
): RelayRoute => ({
  id,
  host,
  backends: addresses.map((text) => {
    const backend = parseBackend(text, true)
    if (typeof backend === 'string') throw new Error(backend)
    return { host: backend.ip.text, port: backend.port }
  }),
  ...rest,
})

/** What Traefik says first: who called it. */
export const from = (address: string, port = 4_711): Buffer =>
  proxyHeader('v2', { source: { address, port }, destination: { address: '127.0.0.1', port: 443 } })

/** A connection as Traefik makes it, with a ClientHello for `host` sent. */
export const passThrough = async (
  stand: Pick<Stand, 'port'>,
  host: string,
  source = '192.0.2.7',
): Promise<Http1 & { hello: Buffer }> => {
  const hello = await clientHello(host)
  const client = http1(await openTcp({ port: stand.port, before: from(source) }))
  onTestFinished(() => client.close())
  await client.send(hello)
  return Object.assign(client, { hello })
}
