import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Rfc2136Options, rfc2136 } from '../../../plugins/index.ts'
import { challengeValue, describeDnsProvider, freePort, openDns, tempRoot } from '../../kit/index.ts'
import { keyName, type Named, startBind, startKnot } from './named.ts'
import { domains } from './records.ts'

const secret = randomBytes(48).toString('base64')
const zones = ['example.org', 'example.com']
const servers = { Knot: startKnot, BIND: startBind }
const key = (root: string, change: object = {}): Rfc2136Options['key'] => {
  writeFileSync(join(root, 'key'), `${secret}\n`)
  return { name: keyName, secret: { file: join(root, 'key') }, ...change }
}

for (const [name, start] of Object.entries(servers)) {
  for (const algorithm of ['hmac-sha256', 'hmac-sha512'] as const)
    describeDnsProvider(`dns-provider/rfc2136 with ${name} and ${algorithm}`, {
      async open(root) {
        const server = await start(root, { zones, algorithm, secret })
        const options = {
          server: `127.0.0.1:${server.port}`,
          zones: domains,
          key: key(root, { algorithm }),
          propagation: server.propagation,
        }
        return { plugins: () => [rfc2136(options)], server, domains, close: server.close }
      },
      secrets: [secret],
    })

  describe(`dns-provider/rfc2136 with ${name}`, () => {
    const open = async (change: (server: Named, root: string) => Partial<Rfc2136Options>) => {
      const root = tempRoot('rfc2136')
      onTestFinished(root.remove)
      const server = await start(root.path, { zones, algorithm: 'hmac-sha256', secret })
      onTestFinished(server.close)
      const usual = {
        server: `127.0.0.1:${server.port}`,
        zones: ['example.org', 'example.net'],
        key: key(root.path),
        propagation: server.propagation,
        timeout: 5,
      }
      const { dns, gateway } = await openDns([rfc2136({ ...usual, ...change(server, root.path) })], root.path)
      onTestFinished(gateway.close)
      return (at = '_acme-challenge.gw.example.org') => dns.present(at, challengeValue(), AbortSignal.timeout(20_000))
    }
    it('says that the secret is another', async () => {
      process.env.GATEWAY_TEST_TSIG = randomBytes(32).toString('base64')
      const present = await open((_, root) => ({ key: key(root, { secret: { env: 'GATEWAY_TEST_TSIG' } }) }))
      await expect(present()).rejects.toMatchObject({ code: 'DNS_DENIED', message: expect.stringContaining('BADSIG') })
    })
    it('says that the key is unknown', async () => {
      const present = await open((_, root) => ({ key: key(root, { name: 'stranger' }) }))
      await expect(present()).rejects.toMatchObject({ code: 'DNS_DENIED', message: expect.stringContaining('BADKEY') })
    })
    it('says that the server has no such zone', async () => {
      const present = await open(() => ({}))
      await expect(present('_acme-challenge.example.net')).rejects.toMatchObject({
        code: 'DNS_UNAVAILABLE',
        message: expect.stringContaining('no zone'),
      })
    })
    it('says that the server is gone', async () => {
      let running: Named | undefined
      const present = await open((server) => {
        running = server
        return {}
      })
      await present()
      await running?.close()
      await expect(present()).rejects.toMatchObject({ code: 'DNS_UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED') })
    })
  })
}

describe('dns-provider/rfc2136', () => {
  it('gives up on a server that hangs, and on one that is not there', async () => {
    const root = tempRoot('rfc2136')
    onTestFinished(root.remove)
    const hung = createServer(() => undefined)
    const port = await freePort()
    hung.listen(port, '127.0.0.1')
    const options = { server: `127.0.0.1:${port}`, zones: ['example.org'], key: key(root.path), timeout: 0.3 }
    const { dns, gateway } = await openDns([rfc2136(options)], root.path)
    onTestFinished(gateway.close)
    const present = () => dns.present('_acme-challenge.example.org', challengeValue(), AbortSignal.timeout(20_000))
    await expect(present()).rejects.toMatchObject({ code: 'DNS_UNAVAILABLE', message: expect.stringContaining('0.3 s') })
    hung.close()
    await expect(present()).rejects.toMatchObject({ code: 'DNS_UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED') })
  })
  it.each([
    [{ server: 'ns.example.org' }, 'server'],
    [{ key: { name: '', secret: { env: 'X' } } }, 'key.name'],
    [{ key: { name: 'k', algorithm: 'hmac-md5', secret: { env: 'X' } } }, 'key.algorithm'],
    [{ key: { name: 'k', secret: 'hush' } }, 'key.secret'],
    [{ key: undefined }, 'key.name'],
  ])('refuses %j where it is written', (options, what) =>
    expect(() =>
      rfc2136({ server: '192.0.2.1', zones: ['example.org'], key: { name: 'k', secret: { env: 'X' } }, ...options } as never),
    ).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(`rfc2136: ${what}`) })),
  )
})
