import type { Api } from '../api.ts'
import type { Side } from '../feed.ts'
import { sharedName } from '../shared.ts'
import type { Endpoint } from './index.ts'

/** Seconds that the endpoint may take to take something, behind which the caller goes on and it is said again when it is there. */
const patience = 15

/** Routes as one document, which the endpoint serves. `shared`: what all routes share, with the number of the generation. */
export const httpSide = ({ client, close }: Endpoint, api: Api, shared: (generation: number) => object): Side => {
  let offered = 0
  const sharedAt = (generation: number): readonly [string, string] => {
    offered = Math.max(offered, generation)
    return [sharedName, JSON.stringify(shared(offered))]
  }
  const soon = () => AbortSignal.timeout(patience * 1_000)
  return {
    provider: 'http',
    // More than what is shared.
    holds: async () => ((await client.known(AbortSignal.timeout(5_000)).catch(() => undefined))?.size ?? 0) > 1,
    open: async (documents, generation) => {
      await client.replace([...documents, sharedAt(generation)], soon())
    },
    // With its generation in the same batch: Traefik builds what it serves once for both.
    change: (write, gone, generation, signal) =>
      client.apply([...write, ...gone.map((name) => [name, null] as const), sharedAt(generation)], signal),
    offer: async (generation) => {
      if (generation > offered) await client.apply([sharedAt(generation)], soon())
    },
    taken: async (signal) => {
      // One document: whoever has its number has all of it.
      const shown = (await api.generation(signal, 'http')) ?? 0
      return { shown, whole: shown }
    },
    close,
  }
}
