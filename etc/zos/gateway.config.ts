import { defineGateway } from 'zos-gateway'
import {
  afterReboot,
  backends,
  dnsHook,
  dnsmasq,
  dnsResolver,
  doctor,
  fqdnProxy,
  hasZinit,
  httpApi,
  httpResolver,
  importRoutes,
  level,
  limits,
  nameContract,
  nameProxy,
  nnc,
  pointsHere,
  processes,
  tlsPassthrough,
  traefik,
  traffic,
  zbus,
  zinit,
  zosNode,
} from 'zos-gateway/plugins'

// A Zero-OS node, in the place of its Go gateway module: what `gateway --preset zos` runs, one plugin a line. docs/zos.md
export default defineGateway(
  ({
    http = 80,
    https = 443,
    api,
    broker = 'unix:///var/run/redis.sock',
    brokerPassword,
    workers = 64,
    netns = 'public',
    supervisor = hasZinit() ? 'zinit' : 'processes',
  }) => ({
    plugins: [
      // What the node is to the outside, as networkd says, and the way to its other modules.
      zosNode({ broker, password: brokerPassword }),

      // What callers may ask for.
      fqdnProxy(), //  a domain of their own
      nameProxy(), //  a name under the node's domain

      // Who ends TLS for a host, and by which certificate: the first that wants it.
      tlsPassthrough(), //  the workload itself, where it asks for that
      httpResolver(), //  a domain of its own: one certificate each, proved over http-01
      dnsResolver(), //  names: one wildcard certificate, proved over dns-01

      // What is refused. Workloads have private addresses, and those of Yggdrasil and Mycelium.
      backends({ private: true, allow: ['200::/7', '400::/7'], ownPorts: [http, https] }),
      pointsHere({ resolvers: ['8.8.8.8'], timeout: 10 }), //  a domain that does not resolve to this node
      nameContract(), //  a name for which the caller's twin holds no contract on the chain
      limits(), //  what would be more than one tenant's share

      // At the first start: what the Go module left.
      importRoutes(),

      // Where the state is kept.
      level(),

      // What keeps Traefik, dnsmasq and nnc alive: the node's zinit, each as a unit; the gateway itself on a machine without it.
      supervisor === 'zinit' ? zinit() : processes(),

      // How backends in the private network of a tenant are reached: by an nnc each.
      nnc(netns === 'none' ? {} : { netns }),

      // What answers for `_acme-challenge`, and how Traefik tells it the answers. What faces the public is in the node's namespace for it,
      // also when that appears later or is made anew.
      dnsmasq(netns === 'none' ? {} : { netns }),
      dnsHook(),

      // What listens, ends TLS and moves the bytes; it goes on while the gateway is away. The e-mail is that of the account which the Go
      // module made at Let's Encrypt: another one makes a new account.
      traefik({
        http: { port: http },
        https: { port: https },
        keepServing: true,
        ...(netns !== 'none' && { netns }),
        acme: { email: 'letsencrypt@threefold.tech' },
      }),

      // Who counts the bytes of each workload.
      traffic(),

      // What finds out why a name does not work: gateway doctor.
      doctor({ http, https }),

      // What provisiond does not set again after a reboot of the node is reported, and then removed.
      afterReboot(),

      // How callers reach it: over zbus, and by the unix socket of the command line (and over HTTP on loopback with --api).
      zbus({ broker, password: brokerPassword, workers }),
      httpApi({ tcp: api !== undefined && { port: api } }),
    ],
  }),
)
