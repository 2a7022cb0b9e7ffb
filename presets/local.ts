import type { Flags, Plugin } from '../core/index.ts'
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
} from '../plugins/index.ts'

/** One machine with nothing installed: names under `gw.localhost`, certificates of a CA of its own, workloads on the machine itself. */
export const local = ({ http = 8080, https = 8443, api = 8070, broker = 'auto', workers = 64 }: Flags = {}): Plugin[] => [
  staticNode({ domain: 'gw.localhost', ipv4: '127.0.0.1', ipv6: '::1' }),
  fqdnProxy(),
  nameProxy(),
  tlsPassthrough(),
  localCa(),
  backends({ allow: ['127.0.0.0/8', '::1'], private: true, ownPorts: [http, https, api] }),
  pointsHere(),
  limits(),
  level(),
  embedded({ http: { port: http }, https: { port: https } }),
  traffic(),
  doctor({ http, https }),
  zbus({ broker, workers }),
  httpApi({ tcp: { port: api } }),
]
