import { responder } from '../../../plugins/index.ts'
import { describeDnsProvider, freePort } from '../../kit/index.ts'

describeDnsProvider('dns-provider/responder', {
  async open() {
    const port = await freePort()
    const domains = ['gw.example.org', 'shop.example.com'] as const
    return {
      plugins: () => [responder({ domains, addresses: ['127.0.0.1', '::1'], port })],
      server: { host: '127.0.0.1', port },
      domains,
    }
  },
})
