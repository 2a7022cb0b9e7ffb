import { defineGateway } from 'zos-gateway'
import {
  backends,
  doctor,
  embedded,
  fqdnProxy,
  httpApi,
  level,
  limits,
  localCa,
  nameProxy,
  pointsHere,
  staticNode,
  tlsPassthrough,
  traffic,
  zbus,
} from 'zos-gateway/plugins'

// What this gateway is made of: one plugin a line, in the order in which they are asked. Delete a line and its feature is gone.
// For one machine with nothing installed: names under gw.localhost, which browsers find on this machine by themselves.
export default defineGateway(({ http = 8080, https = 8443, api = 8070, broker = 'auto', brokerPassword, workers = 64 }) => ({
  plugins: [
    // What this machine is to the outside.
    staticNode({ domain: 'gw.localhost', ipv4: '127.0.0.1', ipv6: '::1' }),

    // What callers may ask for.
    fqdnProxy(), //  a domain of their own
    nameProxy(), //  a name under the domain above

    // Who ends TLS for a host, and by which certificate: the first that wants it.
    tlsPassthrough(), //  the workload itself, where it asks for that
    localCa(), //  the gateway, by a CA of its own; clients trust <root>/ca/root.pem

    // What is refused.
    backends({ allow: ['127.0.0.0/8', '::1'], private: true, ownPorts: [http, https, api] }),
    pointsHere(), //  a domain that does not resolve to this machine
    limits(), //  what would be more than one tenant's share

    // Where the state is kept.
    level(),

    // What listens, ends TLS and moves the bytes.
    embedded({ http: { port: http }, https: { port: https } }),

    // Who counts the bytes of each workload.
    traffic(),

    // Who finds out why a name does not work: `gateway doctor`.
    doctor({ http, https }),

    // How callers reach it: over Redis, where one runs on this machine or --broker names it ...
    zbus({ broker, password: brokerPassword, workers }),
    // ... over HTTP on loopback, and by the unix socket of the command line.
    httpApi({ tcp: { port: api } }),
  ],
}))
