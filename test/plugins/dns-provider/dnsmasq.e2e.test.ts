import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { dnsmasq, processes } from '../../../plugins/index.ts'
import { challengeValue, describeDnsProvider, endKept, freePort, keptChildren, openDns, tempRoot } from '../../kit/index.ts'
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

test('dnsmasq has a user of its own where the gateway is root, and the gateway’s else', async () => {
  const [root, port, domains] = [tempRoot('dnsmasq'), await freePort(), ['gw.example.org']]
  onTestFinished(root.remove)
  onTestFinished(() => endKept(root.path))
  const plugins = [dnsmasq({ domains, addresses: ['127.0.0.1'], port, command: dnsmasqPath() }), processes()]
  const { dns, gateway } = await openDns(plugins, root.path)
  onTestFinished(gateway.close)
  await dns.present('_acme-challenge.gw.example.org', challengeValue(), AbortSignal.timeout(60_000))
  // It may answer before it is written down.
  await expect.poll(() => keptChildren(root.path).get('dnsmasq'), { timeout: 30_000 }).toBeDefined()
  const status = readFileSync(`/proc/${keptChildren(root.path).get('dnsmasq')}/status`, 'utf8')
  const uid = Number(/^Uid:\t(\d+)/m.exec(status)?.[1])
  const own = process.getuid?.()
  if (own === 0) expect(uid).toBeGreaterThan(0)
  else expect(uid).toBe(own)
})
