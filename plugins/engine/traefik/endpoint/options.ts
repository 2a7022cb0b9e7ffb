import { keys, number, oneOf } from '../option-checks.ts'

/** Of routes that Traefik gets over HTTP. */
export interface OverHttp {
  /** The port on 127.0.0.1 from which Traefik gets them. Default 8083. */
  readonly port?: number
  /** With more routes than this `auto` goes over to HTTP, with less than half of it back to files. Default 300. */
  readonly above?: number
  /** What a Traefik gets that asks before the gateway has read its store: what was served last (default), or it waits for that. */
  readonly first?: 'stored' | 'restored'
}

export const readOverHttp = (given: OverHttp): Required<OverHttp> => {
  keys('overHttp.', given, ['port', 'above', 'first'])
  const { port = 8083, above = 300, first = 'stored' } = given
  number('overHttp.port', port, 1, 65_535)
  number('overHttp.above', above, 0, 1_000_000)
  oneOf('overHttp.first', first, ['stored', 'restored'])
  return { port, above, first }
}
