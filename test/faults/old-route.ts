import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Place } from '../kit/backends/listen.ts'
import type { Http1 } from '../kit/clients/h1.ts'
import { backend, eventually } from '../kit/engine/cases.ts'
import type { World } from '../kit/engine/world.ts'

/** Another tenant's client, with requests going on all the time on one open connection. */
export interface OldRoute {
  /** Requests answered so far. */
  readonly served: number
  /** Where the process that carries the traffic was killed and is there again: forgets what broke, and resolves once requests are answered anew. */
  servesAgain(): Promise<void>
  /** Resolves when requests go on and none ever failed; rejects with the first that did. Then the client ends. */
  undisturbed(): Promise<void>
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface Load {
  readonly host: string
  /** What every answer has to be. */
  readonly text: string
  readonly connect: () => Promise<Http1>
}

/** An old route in this world, under load until it is disposed of, which fails where any of its requests did. */
export const oldRoute = async (world: World, place: Place = {}): Promise<OldRoute> => {
  const host = 'old.tenant.test'
  const web = await backend('old', place)
  await world.set('900-1-old', host, [web.url])
  return underLoad({ host, text: 'old', connect: () => world.h1(host) })
}

/** The same on any route that answers `text`: of a gateway that is a process of its own, say. */
export const underLoad = async ({ host, text, connect }: Load): Promise<OldRoute> => {
  let [served, ended] = [0, false]
  let broke: Error | undefined
  let client = await connect()
  const ask = async () => {
    const answer = await client.request('GET /', { Host: host })
    if (answer.status !== 200 || answer.text !== text) throw new Error(`answered ${answer.status} ${answer.text}`)
    served++
  }
  const another = async () => {
    client.close()
    client = await connect()
  }
  await ask()
  const asking = (async () => {
    while (!ended) {
      try {
        await ask()
      } catch (error) {
        if (ended) return
        broke ??= new Error(`an old route was disturbed after ${served} requests: ${error}`, { cause: error })
        await another().catch(() => undefined)
      }
      await wait(5)
    }
  })()
  const goesOn = async () => {
    const before = served
    await eventually(() => expect(served, broke?.message).toBeGreaterThan(before + 2))
  }
  const end = async () => {
    ended = true
    // One that is never answered ends so too.
    client.close()
    await asking
  }
  const undisturbed = async () => {
    try {
      const before = served
      if (!ended) await eventually(() => expect(broke !== undefined || served > before + 2, 'requests go on').toBe(true))
      if (broke) throw broke
    } finally {
      await end()
    }
  }
  return {
    get served() {
      return served
    },
    servesAgain: async () => {
      await goesOn()
      broke = undefined
    },
    undisturbed,
    [Symbol.asyncDispose]: undisturbed,
  }
}
