import { spareTurboFan } from '../../cli/turbofan.ts'
import { createGateway } from '../../core/index.ts'
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
  zbus,
} from '../../plugins/index.ts'

// The gateway that the benchmark drives: all that serves names, under a CA of its own. Arguments: broker, root, durability.
const [broker = '', root = '', durability = 'power'] = process.argv.slice(2)
const gateway = await createGateway(
  {
    plugins: [
      staticNode({ ipv4: '198.51.100.7', domain: 'bench.example.org' }),
      fqdnProxy(),
      nameProxy(),
      tlsPassthrough(),
      localCa(),
      backends({ private: true }),
      embedded({ http: false, https: { host: '127.0.0.1', port: 0 } }),
      level({ durability: durability === 'process' ? 'process' : 'power' }),
      traffic(),
      zbus({ broker }),
    ],
  },
  { root },
)
spareTurboFan()
process.once('SIGTERM', () => void gateway.close().then(() => process.exit(0)))
console.log('ready')
