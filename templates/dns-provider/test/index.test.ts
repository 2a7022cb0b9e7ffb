import { expect, test } from 'vitest'
import { describeDnsProvider, startDns } from 'zos-gateway/test-kit'
import { sampleProvider, type Zone } from '../src/index.ts'

describeDnsProvider('dns-provider/sample', {
  async open() {
    // A name server of the test's own, in the place of your DNS service.
    const dns = await startDns()
    const texts = new Map<string, string[]>()
    const zone: Zone = {
      texts: async (name) => texts.get(name) ?? [],
      async add(name, text) {
        texts.set(name, [...(texts.get(name) ?? []), text])
        dns.set(name, { TXT: texts.get(name) ?? [] })
      },
      async remove(name, text) {
        texts.set(
          name,
          (texts.get(name) ?? []).filter((other) => other !== text),
        )
        dns.set(name, { TXT: texts.get(name) ?? [] })
      },
    }
    const domains = ['gw.example.org', 'shop.example.com'] as const
    return {
      plugins: () => [sampleProvider({ domains, zone })],
      server: { host: dns.host, port: dns.port },
      domains,
      close: () => dns.close(),
    }
  },
})

test('refuses an empty list of domains where it is written', () => {
  const zone: Zone = { texts: async () => [], add: async () => undefined, remove: async () => undefined }
  expect(() => sampleProvider({ domains: [], zone })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})
