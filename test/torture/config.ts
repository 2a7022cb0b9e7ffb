import { dnsmasqPath, traefikPath } from '../kit/programs.ts'
import { domain } from './operation.ts'

export interface Ports {
  readonly http: number
  readonly https: number
  readonly api: number
  readonly relay: number
  readonly dns: number
}
export type EngineName = 'embedded' | 'traefik'

/** A gateway's config; `broker` empty: without zbus. With Traefik a dnsmasq runs too. */
export const configText = (ports: Ports, broker: string, durability: string, engine: EngineName = 'embedded') => `
import { defineGateway } from 'zos-gateway'
import * as plugins from 'zos-gateway/plugins'
const { backends, fqdnProxy, httpApi, level, localCa, nameProxy, staticNode, traffic, zbus } = plugins
export default defineGateway({
  plugins: [
    staticNode({ domain: '${domain}', ipv4: '198.51.100.7' }),
    fqdnProxy(),
    nameProxy(),
    localCa(),
    backends({ allow: ['127.0.0.0/8'] }),
    level({ durability: '${durability}' }),
    ${engine === 'embedded' ? embedded(ports) : traefik(ports)},
    traffic(),
    ${broker && `zbus({ broker: '${broker}' }),`}
    httpApi({ tcp: false }),
  ],
})
`

const listening = ({ http, https }: Ports) =>
  `http: { host: '127.0.0.1', port: ${http} }, https: { host: '127.0.0.1', port: ${https} }`

const embedded = (ports: Ports) => `plugins.embedded({ ${listening(ports)} })`

const traefik = (ports: Ports) => `plugins.processes({ backoff: { first: 0.1, most: 1 } }),
    plugins.traefik({
      command: '${traefikPath()}', ${listening(ports)}, api: { port: ${ports.api} }, relay: { port: ${ports.relay} },
      routes: 'files', issue: 'gateway', keepServing: true,
    }),
    plugins.dnsmasq({ command: '${dnsmasqPath()}', domains: ['${domain}'], addresses: ['127.0.0.1'], port: ${ports.dns} })`
