import { GatewayError } from '../../../core/index.ts'
import { type Place, type PlaceOptions, readPlace } from '../../../lib/dns/place.ts'

/** `addresses` are all of this machine by default; name them where something else has port 53 of another. */
export type ResponderOptions = PlaceOptions

export const readOptions = (options: ResponderOptions): Place & { readonly addresses: readonly string[] } => {
  const place = readPlace(options)
  if ('wrong' in place) throw new GatewayError('CONFIG_INVALID', `responder: ${place.wrong}`, place.fix)
  return { ...place, addresses: place.addresses ?? ['0.0.0.0', '::'] }
}
