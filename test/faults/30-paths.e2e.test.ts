import { expect } from 'vitest'
import { engines } from './engines.ts'
import { faultOn } from './fault.ts'
import { attack } from './smuggling/attack.ts'
import { knownOf } from './smuggling/known.ts'
import { paths } from './smuggling/paths.ts'

faultOn(
  30,
  `each of ${paths.length} paths that could be read in two ways arrives byte for byte, or not at all`,
  engines,
  async (open) => {
    expect((await attack(open, paths)).wrong).toEqual([])
  },
  { traefik: 'Traefik normalizes paths on purpose (RFC 3986 section 6.2.2): %2e becomes a dot, other bytes are escaped' },
)

faultOn(
  30,
  `each of ${paths.length} paths that could be read in two ways arrives once, normalized, or not at all`,
  { traefik: engines.traefik },
  async (open, engine) => {
    expect((await attack(open, paths, knownOf[engine])).wrong).toEqual([])
  },
)
