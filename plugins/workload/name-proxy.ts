import { definePlugin, GatewayError, NodeFacts, optional } from '../../core/index.ts'
import { canonicalHost } from '../../lib/host.ts'
import { tenantOf } from '../../lib/workload-id.ts'

/** Serves `name.<domain of the node's public config>`. Without it SetNamedProxy answers NAME_DISABLED. */
export const nameProxy = () =>
  definePlugin({
    name: 'workload/name-proxy',
    kind: 'workload',
    options: {},
    needs: { node: optional(NodeFacts) },
    setup: ({ node }) => ({
      resolve: {
        async 'set-name'({ do: _, name, ...wanted }, signal) {
          const config = await node?.publicConfig(signal)
          const zone = config?.domain && canonicalHost(config.domain)
          if (!zone) throw noDomain(node === undefined)
          const host = canonicalHost(`${name}.${zone}`)
          if (!host) throw tooLong(name, zone)
          return Object.freeze({ ...wanted, host, zone, tenant: tenantOf(wanted.id) })
        },
      },
    }),
  })

const noDomain = (nobody: boolean): GatewayError =>
  new GatewayError(
    'NO_DOMAIN',
    "node doesn't support name proxy (doesn't have a domain)",
    nobody ? 'add a plugin that knows the node, such as staticNode({ domain })' : 'set a domain in the public config of the node',
  )
const tooLong = (name: string, zone: string): GatewayError =>
  new GatewayError('INVALID_NAME', `name ${name} is invalid: ${name}.${zone} is no host name`, 'use a shorter name')
