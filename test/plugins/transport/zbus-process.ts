import { createGateway } from '../../../core/index.ts'
import { embedded, level, localCa, nameProxy, staticNode, zbus } from '../../../plugins/index.ts'

// A gateway in a process of its own, to be killed. Arguments: the broker, the root.
const [broker = '', root = ''] = process.argv.slice(2)
await createGateway(
  {
    plugins: [
      staticNode({ ipv4: '198.51.100.7', domain: 'gw.example.org' }),
      nameProxy(),
      localCa(),
      level({ durability: 'process' }),
      embedded({ http: false, https: { host: '127.0.0.1', port: 0 } }),
      zbus({ broker }),
    ],
  },
  { root },
)
