import { definePlugin, GatewayError, NodeFacts, optional } from '../../core/index.ts'
import { canonicalHost, isUnder } from '../../lib/host.ts'
import { tenantOf } from '../../lib/workload-id.ts'

/** Serves a domain of the caller's own. Without it SetFQDNProxy answers FQDN_DISABLED. */
export const fqdnProxy = () =>
  definePlugin({
    name: 'workload/fqdn-proxy',
    kind: 'workload',
    options: {},
    needs: { node: optional(NodeFacts) },
    setup: ({ node }) => ({
      resolve: {
        async 'set-fqdn'({ do: _, fqdn, ...wanted }, signal) {
          const config = await node?.publicConfig(signal)
          if (!config) throw noPublicConfig(node === undefined)
          const domain = config.domain && (canonicalHost(config.domain) ?? config.domain)
          if (domain && isUnder(fqdn, domain)) throw managed(fqdn, domain)
          return Object.freeze({ ...wanted, host: fqdn, tenant: tenantOf(wanted.id) })
        },
      },
    }),
  })

const noPublicConfig = (nobody: boolean): GatewayError =>
  new GatewayError(
    'NO_PUBLIC_CONFIG',
    'gateway is not supported on this node: it has no public config',
    nobody ? 'add a plugin that knows the node, such as staticNode({ ipv4, domain })' : 'give the node a public config',
  )
const managed = (fqdn: string, domain: string): GatewayError =>
  new GatewayError(
    'DOMAIN_MANAGED',
    `can't create a fqdn workload with a subdomain of the gateway's managed domain: ${fqdn} is under ${domain}`,
    'use a name workload for names of the gateway, or another domain',
  )
