import { expect } from 'vitest'
import { answerTo } from '../plugins/transport/zbus-parts.ts'
import { random } from '../torture/operation.ts'
import { enginesWith } from './engines.ts'
import { faultOn } from './fault.ts'
import { oldRoute } from './old-route.ts'
import { zbusWorld } from './zbus-world.ts'

type At = Awaited<ReturnType<typeof zbusWorld>>

/** Pushes `count` Sets and Deletes of `ids` workloads, as callers that wait for nothing: their IDs, and what has to stand behind them. */
const pushMany = async ({ client, setRequest, removeRequest }: At, count: number, ids: number, seed: number) => {
  const chance = random(seed)
  const last = new Map<string, string | undefined>()
  const asked: string[] = []
  const line = client.pipeline()
  for (let n = 0; n < count; n++) {
    const id = `1-${Math.floor(chance() * ids)}-o`
    const to = chance() < 0.4 ? undefined : `http://127.0.0.1:${9_000 + n}`
    const { queue, payload, id: name } = to === undefined ? removeRequest(id) : setRequest(id, `${id}.test`, to)
    line.rpush(queue, payload)
    asked.push(name)
    last.set(id, to)
  }
  await line.exec()
  return { asked, last }
}
const stands = (at: At, last: ReadonlyMap<string, string | undefined>) => {
  for (const [id, to] of last) expect([id, at.world.gateway.routes.get(id as never)?.backends[0]]).toEqual([id, to])
}

faultOn(15, 'Sets and Deletes that overtake each other on eight workers end as the last one asked', enginesWith, async (open) => {
  const at = await zbusWorld(open, { workers: 8 })
  await using _old = await oldRoute(at.world)
  for (let round = 0; round < 2; round++) {
    const { asked, last } = await pushMany(at, 60, 6, round)
    for (const id of asked) expect((await answerTo(at.client, id)).Output.Error).toBeNull()
    stands(at, last)
  }
})

faultOn(15, 'a backlog from while the gateway was down is carried out in its order', enginesWith, async (open) => {
  const at = await zbusWorld(open, { workers: 8 })
  await using old = await oldRoute(at.world)
  await at.world.close()
  const { asked, last } = await pushMany(at, 200, 20, 7)
  await at.world.restart()
  for (const id of asked) expect((await answerTo(at.client, id)).Output.Error).toBeNull()
  stands(at, last)
  await old.servesAgain()
})
