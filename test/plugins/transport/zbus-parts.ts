import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { createGateway, type Plugin } from '../../../core/index.ts'
import { decode, encode, encodeRequest, type ObjectId } from '../../../lib/zbus/index.ts'
import {
  fqdnProxy,
  level,
  nameProxy,
  staticNode,
  tlsPassthrough,
  traffic,
  type ZbusOptions,
  zbus,
} from '../../../plugins/index.ts'
import { tableEngine } from '../../core/parts.ts'
import { startRedis, tempRoot } from '../../kit/index.ts'

export const manager: ObjectId = { name: 'manager', version: '0.0.1' }
export const gatewayObject: ObjectId = { name: 'gateway', version: '0.0.1' }

/** A Redis of the test's own. */
export const redis = async (args: readonly string[] = []) => {
  const server = await startRedis({ args })
  onTestFinished(server.close)
  return server
}

/** A connection to it, as any program has. */
export const plain = (path: string): Redis => {
  const client = new Redis({ path, protocol: 2 })
  client.on('error', () => undefined)
  onTestFinished(() => client.disconnect())
  return client
}

export interface Answer {
  readonly ID: string
  readonly Output: { readonly Data: Uint8Array | null; readonly Error: { readonly Message: string } | null }
  readonly Error: string | null
}

/** The answer on a list, as soon as it lies there. */
export const answerTo = async (client: Redis, list: string): Promise<Answer> => {
  const popped = await client.blpopBuffer(list, 60)
  if (!popped) throw new Error(`nothing on ${list} within a minute`)
  return decode(popped[1]) as Answer
}

/** Pushes a request as a Go client does and waits for its answer. */
export const ask = async (client: Redis, queue: string, payload: Uint8Array, replyTo: string): Promise<Buffer> => {
  await client.rpush(queue, Buffer.from(payload))
  const popped = await client.blpopBuffer(replyTo, 60)
  if (!popped) throw new Error(`nothing on ${replyTo} within a minute`)
  return popped[1]
}

export const request = (object: ObjectId, method: string, args: readonly unknown[], id: string = randomUUID()) => ({
  id,
  queue: `gateway.${object.name}@${object.version}`,
  payload: Buffer.from(encodeRequest({ id, inputs: args.map(encode), object, replyTo: id, method })),
})

/** Calls as a Go client does; the whole answer. */
export const call = async (client: Redis, object: ObjectId, method: string, ...args: unknown[]): Promise<Answer> => {
  const { id, queue, payload } = request(object, method, args)
  return decode(await ask(client, queue, payload, id)) as Answer
}
export const dataOf = ({ Output }: Answer): unknown => (Output.Data === null ? null : decode(Output.Data))

interface GatewayParts extends ZbusOptions {
  readonly engine?: ReturnType<typeof tableEngine>
  readonly more?: readonly Plugin[]
}
/** A gateway on a table engine, its own domain gw.example.org, that takes what zbus brings. */
export const gateway = async (
  broker: string,
  root: string,
  { engine = tableEngine(), more = [], ...options }: GatewayParts = {},
) => {
  const running = await createGateway(
    {
      plugins: [
        level(),
        staticNode({ ipv4: '198.51.100.7', domain: 'gw.example.org' }),
        fqdnProxy(),
        nameProxy(),
        tlsPassthrough(),
        traffic(),
        engine.plugin,
        zbus({ broker, ...options }),
        ...more,
      ],
    },
    { root },
  )
  onTestFinished(running.close)
  return running
}
export const newRoot = (): string => {
  const root = tempRoot('zbus')
  onTestFinished(root.remove)
  return root.path
}
