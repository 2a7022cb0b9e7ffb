import { expect, it } from 'vitest'
import { limits } from '../../../plugins/index.ts'
import { answerOn } from '../../lib/zbus/parts.ts'
import { gateway, manager, newRoot, plain, redis, request } from './zbus-parts.ts'

const noise = 10_000
const others = 20

/** A Set of a whole name, as a Go caller sends it. */
const ask = (id: string) =>
  request(manager, 'SetFQDNProxy', [id, { FQDN: `w${id}.example.net`, Backends: ['10.0.0.1:443'], TLSPassthrough: true }])

it.for([
  ['with its share limited', { more: [limits()] }],
  ['with no limits at all', {}],
  ['and one worker', { workers: 1, more: [limits()] }],
] as const)('nobody waits behind 10,000 operations that one tenant queued, %s', async ([, options]) => {
  const server = await redis()
  const client = plain(server.path)
  const loud = Array.from({ length: noise }, (_, n) => ask(`7-${n}-loud`))
  const quiet = Array.from({ length: others }, (_, n) => ask(`${100 + n}-1-quiet`))
  const [{ queue } = { queue: '' }] = loud
  for (let at = 0; at < noise; at += 1_000) await client.rpush(queue, ...loud.slice(at, at + 1_000).map(({ payload }) => payload))
  await client.rpush(queue, ...quiet.map(({ payload }) => payload))
  const running = await gateway(server.broker.unix, newRoot(), options)
  for (const { id } of quiet) expect((await answerOn(client, id)).Output.Error).toBeNull()
  expect(running.routes.count('7')).toBeLessThan(noise / 2)
  for (let n = 0; n < others; n++) expect(running.routes.count(`${100 + n}`)).toBe(1)
})
