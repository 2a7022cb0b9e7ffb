import type { Flags, Plugin } from '../core/index.ts'
import { embedded } from '../plugins/engine/embedded/index.ts'
import { traffic } from '../plugins/metrics/traffic/index.ts'
import { backends } from '../plugins/policy/backends.ts'
import { limits } from '../plugins/policy/limits/index.ts'
import { pointsHere } from '../plugins/policy/points-here.ts'
import { localCa } from '../plugins/resolver/local/index.ts'
import { tlsPassthrough } from '../plugins/resolver/tls-passthrough.ts'
import { doctor } from '../plugins/service/doctor/index.ts'
import { staticNode } from '../plugins/service/static-node.ts'
import { level } from '../plugins/store/level/index.ts'
import { httpApi } from '../plugins/transport/http-api/index.ts'
import { zbus } from '../plugins/transport/zbus/index.ts'
import { fqdnProxy } from '../plugins/workload/fqdn-proxy.ts'
import { nameProxy } from '../plugins/workload/name-proxy.ts'

// Each plugin is imported by its own file above: what is not in the list need not be loaded at a start.

/** One machine with nothing installed: names under `gw.localhost`, certificates of a CA of its own, workloads on the machine itself. */
export const local = ({
  http = 8080,
  https = 8443,
  api = 8070,
  broker = 'auto',
  brokerPassword,
  workers = 64,
}: Flags = {}): Plugin[] => [
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
  zbus({ broker, password: brokerPassword, workers }),
  httpApi({ tcp: { port: api } }),
]
