import type { Plugin } from '../../core/index.ts'
import type { EngineFactory } from '../kit/engine/settings.ts'
import { type Open, openWorld } from '../kit/engine/world.ts'
import { embeddedUnderTest } from '../plugins/engine/embedded/under-test.ts'
import { traefikUnderTest } from '../plugins/engine/traefik/under-test.ts'

/** Opens a gateway with an engine and these plugins more; one that takes workloads stands in for the kit's, which takes any FQDN. */
export type OpenWith = (...more: readonly Plugin[]) => Open

const openWith =
  (engine: EngineFactory): OpenWith =>
  (...more) => {
    const workloads = more.filter(({ kind }) => kind === 'workload')
    const others = more.filter(({ kind }) => kind !== 'workload')
    return openWorld(async (where) => [...others, ...[await engine(where)].flat()], workloads.length > 0 ? workloads : undefined)
  }

/** Every engine that a fault may concern, by name. */
export const enginesWith = { embedded: openWith(embeddedUnderTest), traefik: openWith(traefikUnderTest) }

/** The same with nothing more. */
export const engines = { embedded: enginesWith.embedded(), traefik: enginesWith.traefik() }

export type Engine = keyof typeof engines
