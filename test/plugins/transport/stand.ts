import type { Plugin } from '../../../core/index.ts'
import {
  backends,
  embedded,
  fqdnProxy,
  level,
  localCa,
  nameProxy,
  staticNode,
  tlsPassthrough,
  traffic,
} from '../../../plugins/index.ts'
import type { Stand } from '../../kit/index.ts'

/** What transports stand on in their suite: the shipped plugins, with loopback backends allowed. */
export const standPlugins = ({ http, https }: Stand): readonly Plugin[] => [
  staticNode({ ipv4: '127.0.0.1', domain: 'gw.test' }),
  fqdnProxy(),
  nameProxy(),
  tlsPassthrough(),
  localCa(),
  backends({ allow: ['127.0.0.0/8'], ownPorts: [http, https] }),
  level(),
  embedded({ http: { port: http }, https: { port: https }, drain: 1 }),
  traffic(),
]
