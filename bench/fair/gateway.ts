import { createGateway } from '../../core/index.ts'
import { embedded, fqdnProxy, level, limits, staticNode, tlsPassthrough, traffic, zbus } from '../../plugins/index.ts'

// The gateway that the benchmark drives. Arguments: broker, root, `limited` or `unlimited`.
const [broker = '', root = '', share = ''] = process.argv.slice(2)
const gateway = await createGateway(
  {
    plugins: [
      staticNode({ ipv4: '198.51.100.7', domain: 'bench.example.org' }),
      fqdnProxy(),
      tlsPassthrough(),
      embedded({ http: false, https: { host: '127.0.0.1', port: 0 } }),
      level(),
      traffic(),
      share === 'limited' && limits(),
      zbus({ broker }),
    ],
  },
  { root },
)
process.once('SIGTERM', () => void gateway.close().then(() => process.exit(0)))
console.log('ready')
