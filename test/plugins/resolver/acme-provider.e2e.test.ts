import { once } from 'node:events'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'
import { cloudflare, httpApi, responder } from '../../../plugins/index.ts'
import { type AcmeWorld, freePort, startAcmeWorld } from '../../kit/index.ts'
import { startApi } from '../dns-provider/api.ts'
import { cloudflareApi } from '../dns-provider/cloudflare-api.ts'
import { domain, hanging, type Served, serve } from './acme-parts.ts'

const wildcard = `*.${domain}`
const secret = 'wrong-token-8251'
let world: AcmeWorld
let served: Served
beforeAll(async () => {
  world = await startAcmeWorld()
  world.dns.set('good.example', { A: ['127.0.0.1'] })
})
afterEach(() => served?.close())
afterAll(() => world.close())

/** The wildcard fails with this code; a domain beside it gets its certificate. */
const failing = async (code: string) => {
  await served.name('shop', {})
  await expect.poll(() => served.certificate(wildcard)?.code, { timeout: 60_000 }).toBe(code)
  await served.fqdn('good.example')
  expect(await served.seen('good.example', await world.pebble.root())).toMatchObject({ names: 'DNS:good.example' })
  return served.certificate(wildcard)
}

const metrics = (root: string) =>
  new Promise<string>((resolve, reject) => {
    const asked = get({ socketPath: join(root, 'gateway.sock'), path: '/metrics' }, async (answer) => {
      let text = ''
      for await (const part of answer) text += part
      resolve(text)
    })
    asked.on('error', reject)
  })

test('a DNS provider that hangs is given up: DNS_UNAVAILABLE, told in `gateway certs` and the metrics, and the next try works', async () => {
  const state = { well: false }
  served = await serve(world, { named: { timeout: 1 }, dns: hanging(world, state), more: [httpApi({ tcp: false })] })
  const shown = await failing('DNS_UNAVAILABLE')
  const said = `the DNS provider did not put up the challenge of ${domain} within 1 s`
  expect(shown).toMatchObject({ state: 'failed', error: said, fix: expect.stringContaining('dnsResolver({ timeout })') })

  const run = (...args: string[]) => served.run(...args)
  const id = shown?.id ?? ''
  const certs = await run('certs')
  expect(certs.text).toContain(`${wildcard} (${id})\n  DNS_UNAVAILABLE: ${said}`)
  expect(certs.text).toMatch(/failed .* in .* one workload uses it/)
  expect(await run('certs', '--renew', id)).toMatchObject({ code: 5, text: expect.stringContaining('DNS_UNAVAILABLE') })
  expect(await metrics(served.root)).toContain(
    `gateway_certificate_failing{certificate="${id}",resolver="dnsresolver",code="DNS_UNAVAILABLE"} 1`,
  )

  state.well = true
  expect(await run('certs', '--renew', id)).toMatchObject({ code: 0 })
  const first = await served.seen(`shop.${domain}`, await world.pebble.root())
  expect(first.names).toBe(`DNS:${wildcard}`)
  expect(await run('certs', '--revoke', id)).toMatchObject({ code: 0 })
  expect(await served.seen(`shop.${domain}`, await world.pebble.root())).not.toEqual(first)
})

test('a DNS provider whose secret is wrong: DNS_DENIED, and the secret is nowhere', async () => {
  process.env.GATEWAY_TEST_TOKEN = secret
  const api = await startApi(cloudflareApi({ token: 'the right one', zones: [domain] }).answer)
  onTestFinished(() => void api.close())
  const options = {
    zones: [domain],
    api: `${api.url}/client/v4`,
    token: { env: 'GATEWAY_TEST_TOKEN' },
    propagation: false,
  } as const
  served = await serve(world, { dns: cloudflare(options) })
  const shown = await failing('DNS_DENIED')
  expect(shown).toMatchObject({ state: 'failed', fix: expect.stringMatching(/./), next: expect.any(Date) })
  expect(JSON.stringify([shown, served.log])).not.toContain(secret)
})

test('a name server of the node’s own whose port is taken: PORT_IN_USE, with who has it', async () => {
  const port = await freePort()
  const other = createServer().listen(port, '127.0.0.1')
  await once(other, 'listening')
  onTestFinished(() => void other.close())
  served = await serve(world, {
    acme: { preflight: { delegation: false } },
    dns: responder({ addresses: ['127.0.0.1'], port }),
  })
  const shown = await failing('PORT_IN_USE')
  expect(shown).toMatchObject({ state: 'failed', error: expect.stringContaining(`pid ${process.pid} `) })
})
