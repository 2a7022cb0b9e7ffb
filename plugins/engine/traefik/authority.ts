import type { Acme } from '../../../core/index.ts'
import type { Settings } from './settings.ts'

/** The settings with the first CA of `acme()`, where Traefik gets the certificates and its own options name no other. */
export const withAuthority = (settings: Settings, acme: Acme | undefined): Settings => {
  const first = acme?.authorities[0]
  if (!first || settings.issue !== 'traefik' || settings.acme.caServer !== undefined) return settings
  const { directory, email, eab, trustFile } = first
  return {
    ...settings,
    acme: { caServer: directory, ...(email !== undefined && { email }), ...(eab && { eab }), ...settings.acme },
    env: { ...(trustFile !== undefined && { LEGO_CA_CERTIFICATES: trustFile }), ...settings.env },
  }
}
