import { createGateway, definePlugin, type Plugin, parseOperation } from '../../../core/index.ts'
import { embedded, level, localCa, nameProxy, staticNode, traffic } from '../../../plugins/index.ts'

/** A gateway in a process of its own, to be killed: `gateway.ts <root> <port>`. Says what of the ledger is durable. */
const [root = '', port = ''] = process.argv.slice(2)
const say = (message: object) => process.send?.(message)

const store: Plugin<'store'> = level()
const watched = definePlugin({
  name: 'store/level',
  kind: 'store',
  setup: async (core) => {
    const inner = await store.setup({ ...core })
    return {
      ...inner,
      commit: async (writes) => {
        await inner.commit(writes)
        for (const write of writes) if ('ledger' in write) say({ durable: write.ledger })
      },
    }
  },
})
const gateway = await createGateway(
  {
    plugins: [
      staticNode({ domain: 'gw.localhost', ipv4: '127.0.0.1' }),
      nameProxy(),
      localCa(),
      watched,
      embedded({ http: { host: '127.0.0.1', port: Number(port), redirect: false }, https: { host: '127.0.0.1', port: 0 } }),
      traffic({ interval: 0.1 }),
    ],
  },
  { root },
)
process.once('disconnect', () => process.exit())
process.on('message', async (message: { set?: string; backend?: string }) => {
  if (message.set !== undefined) {
    await gateway.dispatch(parseOperation({ do: 'set-name', id: '1-1-a', name: message.set, backends: [message.backend] }))
    say({ set: true })
  } else say({ report: await gateway.dispatch({ do: 'metrics' }) })
})
say({ ready: true })
