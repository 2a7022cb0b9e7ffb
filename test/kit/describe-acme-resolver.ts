import { afterAll, beforeAll } from 'vitest'
import { createGateway, type Hooks, type Plugin } from '../../core/index.ts'
import { level } from '../../plugins/index.ts'
import type { PebbleOptions } from './acme/pebble.ts'
import { type AcmeWorld, startAcmeWorld } from './acme/world.ts'
import { describeCases, type Opened, type ResolverUnderTest } from './describe-resolver.ts'

export type AcmeResolverUnderTest = Pick<ResolverUnderTest, 'takes' | 'leaves' | 'refuses'> & {
  /** Makes the plugin for the world's CA; called again with the same `root` when a case restarts its gateway. */
  readonly resolver: (world: AcmeWorld, root: string) => Plugin<'resolver'> | Promise<Plugin<'resolver'>>
  /** The plugins that provide what it needs, beside a store: a DNS provider, an engine that answers http-01. */
  readonly beside?: (world: AcmeWorld, root: string) => readonly Plugin[]
  readonly pebble?: Partial<PebbleOptions>
}

/**
 * The suite of resolvers for one that gets its certificates from an ACME CA. It runs Pebble and a DNS for it, in which the hosts of
 * `takes` and their zones point to 127.0.0.1, and the resolver in a gateway: no account anywhere is needed, and nothing leaves the machine.
 */
export const describeAcmeResolver = (name: string, under: AcmeResolverUnderTest): void => {
  let world: AcmeWorld
  beforeAll(async () => {
    world = await startAcmeWorld(under.pebble)
    for (const { host, zone } of under.takes)
      for (const each of [host, zone]) if (each !== undefined) world.dns.set(each, { A: ['127.0.0.1'] })
  })
  afterAll(() => world?.close())
  describeCases(name, {
    ...under,
    trust: () => world.pebble.root(),
    open: async (root) => openInGateway(await under.resolver(world, root), under.beside?.(world, root) ?? [], root),
  })
}

/** The resolver in a real gateway, and its hooks as the gateway has them. */
const openInGateway = async (plugin: Plugin<'resolver'>, beside: readonly Plugin[], root: string): Promise<Opened> => {
  let hooks: Hooks['resolver'] | undefined
  const watched: Plugin<'resolver'> = {
    ...plugin,
    setup: async (given) => {
      const made = await plugin.setup(given)
      hooks = made
      return made
    },
  }
  const gateway = await createGateway({ plugins: [level(), ...beside, watched] }, { root })
  if (!hooks) throw new Error(`${plugin.name} was not set up`)
  return { name: plugin.name, hooks, close: () => gateway.close() }
}
