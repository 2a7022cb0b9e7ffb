import { dnsmasq, processes } from '../../../plugins/index.ts'
import { describeDnsProvider, freePort } from '../../kit/index.ts'
import { dnsmasqPath } from '../../kit/programs.ts'

describeDnsProvider('dns-provider/dnsmasq', {
  async open() {
    const port = await freePort()
    const domains = ['gw.example.org', 'shop.example.com'] as const
    return {
      plugins: () => [dnsmasq({ domains, addresses: ['127.0.0.1', '::1'], port, command: dnsmasqPath() }), processes()],
      server: { host: '127.0.0.1', port },
      domains,
    }
  },
})
