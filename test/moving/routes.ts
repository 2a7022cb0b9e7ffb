import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'

/** A route file as the Go module writes it: of a name under `zone`, or of a domain of its own. */
export const writeRoute = (folder: string, o: { id: string; host: string; backend: string; zone?: string }): void => {
  const domains = o.zone === undefined ? [{ main: o.host }] : [{ sans: [`*.${o.zone}`] }]
  const certResolver = o.zone === undefined ? 'resolver' : 'dnsresolver'
  const http = {
    routers: { [`${o.id}-route`]: { rule: `Host(\`${o.host}\`)`, service: o.id, tls: { certResolver, domains } } },
    services: { [o.id]: { loadbalancer: { servers: [{ url: o.backend }] } } },
  }
  writeFileSync(join(folder, `${o.id}.yaml`), stringify({ http }, { lineWidth: 0 }))
}
