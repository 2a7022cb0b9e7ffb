import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { encode, encodeResponse, type Request, readRequest } from '../../lib/zbus/index.ts'
import { startRedis } from '../kit/index.ts'
import { bytes, neighbours as recorded } from '../lib/zbus/vectors.ts'

/** `network@0.0.1 GetPublicConfig` to the name of a recorded answer behind its colon, to bytes, to silence, or to what decides by the request. */
export type Say = string | Buffer | 'silence' | ((request: Request) => Say | Promise<Say>)
export interface Others {
  readonly broker: string
  /** What was asked, such as `network@0.0.1 GetPublicConfig`, in order. */
  readonly asked: string[]
  /** Changes what one method answers from now on. */
  say(method: string, say: Say): void
  stopRedis(): Promise<void>
  startRedis(): Promise<void>
}

const modules: Readonly<Record<string, string>> = {
  'network@0.0.1': 'network',
  'api-gateway@0.0.1': 'api-gateway',
  'provision@0.0.1': 'provision',
  'flist@0.0.1': 'flist',
}

/** The other modules of a node on a real Redis, answering with the bytes that the real Go types wrote. */
export const otherModules = async (says: Readonly<Record<string, Say>> = {}): Promise<Others> => {
  const server = await startRedis()
  const answers = new Map(Object.entries(says))
  const asked: string[] = []
  const connections: Redis[] = []
  const open = () => {
    const redis = new Redis({ path: server.path, protocol: 2, retryStrategy: () => 50 })
    redis.on('error', () => undefined)
    connections.push(redis)
    return redis
  }
  onTestFinished(async () => {
    for (const redis of connections) redis.disconnect()
    await server.close()
  })
  const sender = open()
  const answer = async (request: Request, object: string) => {
    const method = `${object} ${request.method}`
    asked.push(method)
    let say = answers.get(method) ?? 'silence'
    while (typeof say === 'function') say = await say(request)
    if (say === 'silence') return
    const text = typeof say === 'string' ? recordedAnswer(`${method}: ${say}`) : say
    await sender.rpush(request.replyTo, answerTo(request.id, text)).catch(() => undefined)
  }
  const listen = async (object: string, queue: string, redis: Redis) => {
    while (connections.includes(redis) && redis.status !== 'end') {
      const popped = await redis.blpopBuffer(queue, 1).catch(() => null)
      const read = popped?.[1] && readRequest(popped[1])
      if (read?.request) void answer(read.request, object)
    }
  }
  for (const [object, module] of Object.entries(modules)) void listen(object, `${module}.${object}`, open())
  return {
    broker: server.broker.unix,
    asked,
    say: (method, say) => void answers.set(method, say),
    stopRedis: () => server.stop(),
    startRedis: () => server.start(),
  }
}

/** The answer of networkd on a node whose public address is loopback, in the shape of the recorded ones. */
export const loopbackConfig = (domain: string): Buffer => {
  const none = { IP: null, Mask: null }
  const mapped = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 127, 0, 0, 1])
  const ipv4 = { IP: mapped, Mask: Uint8Array.from([255, 0, 0, 0]) }
  const config = { Type: 'macvlan', IPv4: ipv4, IPv6: none, GW4: null, GW6: null, Domain: domain }
  return encodeResponse({ id: 'reply-id', data: encode(config) })
}

const recordedAnswer = (name: string): Buffer => {
  const hex = recorded[name]
  if (hex === undefined) throw new Error(`no recorded answer '${name}'; there are ${Object.keys(recorded).join(' | ')}`)
  return bytes(hex)
}

/** The recorded bytes with the ID of the request in the place of the recorded one: `{"ID": "reply-id", ...}`. */
const answerTo = (id: string, answer: Buffer): Buffer => {
  const head = Buffer.from('\x83\xa2ID\xa8reply-id', 'latin1')
  if (!answer.subarray(0, head.length).equals(head)) return answer
  return Buffer.concat([answer.subarray(0, 4), Buffer.from([0xd9, id.length]), Buffer.from(id), answer.subarray(head.length)])
}
