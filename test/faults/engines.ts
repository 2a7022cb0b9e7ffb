import { openWorld } from '../kit/engine/world.ts'
import { embeddedUnderTest } from '../plugins/engine/embedded/under-test.ts'
import { traefikUnderTest } from '../plugins/engine/traefik/under-test.ts'

/** Every engine that a fault may concern, by name: opens a gateway with it. */
export const engines = { embedded: openWorld(embeddedUnderTest), traefik: openWorld(traefikUnderTest) }

export type Engine = keyof typeof engines
