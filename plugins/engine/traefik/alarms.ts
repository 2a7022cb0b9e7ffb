import { type Event, type Route, reason } from '../../../core/index.ts'
import type { Found } from './folder.ts'
import type { Settings } from './settings.ts'

export const folderMended = ({ name, what }: Found, folder: string): Event => ({
  type: 'alarm',
  code: 'ENGINE_UNAVAILABLE',
  message: what === 'foreign' ? `${name} is no route of this gateway and was moved aside` : `${name} was ${what} and put back`,
  fix: `the folder ${folder} is the gateway's: set routes by its commands`,
})
export const unserved = ({ id }: Route, error: unknown): Event => ({
  type: 'alarm',
  code: 'ENGINE_UNAVAILABLE',
  message: `workload ${id} is stored but not served: ${reason(error)}`,
  fix: 'set it again, or delete it',
})
export const configMended: Event = {
  type: 'alarm',
  code: 'ENGINE_UNAVAILABLE',
  message: "Traefik's configuration was edited and put back",
  fix: 'change the options of traefik() instead',
}
export const configLost = (error: unknown): Event => ({
  ...configMended,
  message: `Traefik's configuration was edited and could not be put back: ${reason(error)}`,
})

export const leftManaged = (version: string, pid: number, manager: string): Event => ({
  type: 'alarm',
  code: 'ENGINE_UNAVAILABLE',
  message: `Traefik ${version} of the Go module (pid ${pid}) holds the ports, and ${manager} would start it again`,
  fix: `${manager} stop traefik; ${manager} forget traefik; what is to serve starts by itself within a minute`,
})

/** Whether dns-01 goes through a program, and none is named. */
export const needsHook = ({ acme, env }: Settings): boolean =>
  (acme.dns?.provider ?? 'exec') === 'exec' && !(acme.dns?.env?.EXEC_PATH ?? env.EXEC_PATH)

export const noHook = {
  type: 'alarm',
  code: 'PLUGIN_MISSING',
  message: 'Traefik has nobody who writes DNS challenges: names under the domain get no certificate',
  fix: 'add dnsHook() and a DNS provider such as responder(), or name a provider of Traefik with traefik({ acme: { dns } })',
} as const
