import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { createServer, decode, encode, encodeRequest, type Methods, type ServerOptions } from '../../../lib/zbus/index.ts'
import { type Redis as RedisServer, startRedis } from '../../kit/index.ts'

export const desk = { name: 'desk', version: '1.0' }
export const queue = 'm.desk@1.0'

/** A Redis as it is today, and one as old as those of nodes are. */
export const ages: readonly (readonly [string, readonly string[]])[] = [
  ['with BLMOVE', []],
  ['without BLMOVE and LMOVE', ['--rename-command', 'BLMOVE', '', '--rename-command', 'LMOVE', '']],
]

export const redis = async (args: readonly string[] = []): Promise<RedisServer> => {
  const server = await startRedis({ args })
  onTestFinished(server.close)
  return server
}

/** A connection as any program has. */
export const plain = ({ path }: Pick<RedisServer, 'path'>, password = ''): Redis => {
  const client = new Redis({ path, password, protocol: 2 })
  client.on('error', () => undefined)
  onTestFinished(() => client.disconnect())
  return client
}

/** A started server of the object `desk@1.0` in module `m`. */
export const serve = async (broker: string, methods: Methods, options: Partial<ServerOptions> = {}) => {
  const server = await createServer({ broker, module: 'm', instance: 'one', ...options })
  onTestFinished(() => server.close(0))
  server.register(desk, methods)
  server.start()
  return server
}

/** A request for `desk` and the list where its answer will lie. */
export const request = (method: string, args: readonly unknown[] = [], id: string = randomUUID(), replyTo = id) => ({
  payload: Buffer.from(encodeRequest({ id, inputs: args.map(encode), object: desk, replyTo, method })),
  replyTo,
})

export interface Answer {
  readonly ID: string
  readonly Output: { readonly Data: Uint8Array | null; readonly Error: { readonly Message: string } | null }
  readonly Error: string | null
}
/** The next answer on a list, decoded. */
export const answerOn = async (client: Redis, list: string): Promise<Answer> => {
  const popped = await client.blpopBuffer(list, 20)
  if (!popped) throw new Error(`nothing on ${list} within 20 s`)
  return decode(popped[1]) as Answer
}
export const dataOf = ({ Output }: Answer): unknown => (Output.Data === null ? null : decode(Output.Data))
