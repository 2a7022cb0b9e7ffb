import { expect, test } from 'vitest'
import { describeDnsProvider, freePort } from 'zos-gateway/test-kit'
import { memoryDns, type NameServer, startNameServer } from '../src/index.ts'

describeDnsProvider('dns-provider/memory', {
  async open() {
    const at = { host: '127.0.0.1', port: await freePort() }
    const server = await startNameServer(at)
    const domains = ['gw.example.org', 'shop.example.com'] as const
    return { plugins: () => [memoryDns({ server, domains })], server: at, domains, close: () => server.close() }
  },
})

test('refuses an empty list of domains where it is written', () => {
  const server: NameServer = { add: () => undefined, remove: () => undefined, close: async () => undefined }
  expect(() => memoryDns({ server, domains: [] })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})
