import { createGateway, parseOperation } from '../../core/index.ts'
import { embedded, level, localCa, nameProxy, staticNode } from '../../plugins/index.ts'
import { domain } from './gateway.ts'

// Stores routes the way callers do, and ends. Arguments: root, how many, backend.
const [root = '', routes = '0', backend = ''] = process.argv.slice(2)
const gateway = await createGateway(
  {
    plugins: [
      staticNode({ domain, ipv4: '198.51.100.7' }),
      nameProxy(),
      localCa(),
      embedded({ http: false, https: { host: '127.0.0.1', port: 0 } }),
      level({ durability: 'process' }),
    ],
  },
  { root },
)
let next = 0
const worker = async () => {
  for (let n = next++; n < Number(routes); n = next++) {
    const op = parseOperation({ do: 'set-name', id: `40-${n}-bench`, name: `w${n}`, backends: [backend] })
    await gateway.dispatch(op)
  }
}
await Promise.all(Array.from({ length: 256 }, worker))
await gateway.close()
