import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type CloudflareOptions, cloudflare } from '../../../plugins/index.ts'
import { challengeValue, describeDnsProvider, openDns, tempRoot } from '../../kit/index.ts'
import { type Answer, startApi } from './api.ts'
import { cloudflareApi } from './cloudflare-api.ts'
import { domains, startRecords } from './records.ts'

const token = 'v4-token-not-to-be-seen'

describeDnsProvider('dns-provider/cloudflare', {
  async open(root) {
    const { answer, values } = cloudflareApi({ token, zones: ['example.org', 'example.com'], perPage: 7 })
    const [api, server] = await Promise.all([startApi(answer), startRecords(domains, values)])
    writeFileSync(join(root, 'token'), `${token}\n`)
    const options: CloudflareOptions = {
      api: `${api.url}/client/v4`,
      token: { file: join(root, 'token') },
      zones: domains,
      propagation: server.propagation,
    }
    const close = () => Promise.all([api.close(), server.close()])
    return { plugins: () => [cloudflare(options)], server, domains, close }
  },
  secrets: [token],
})

describe('dns-provider/cloudflare', () => {
  const open = async (options: Partial<CloudflareOptions> = {}, first?: () => Answer | undefined) => {
    const { answer, values } = cloudflareApi({ token, zones: ['example.org'] })
    const api = await startApi((asked) => first?.() ?? answer(asked))
    onTestFinished(api.close)
    const root = tempRoot('cloudflare')
    onTestFinished(root.remove)
    process.env.GATEWAY_TEST_CLOUDFLARE = token
    const usual: CloudflareOptions = {
      api: `${api.url}/client/v4`,
      zones: ['example.org', 'example.net'],
      token: { env: 'GATEWAY_TEST_CLOUDFLARE' },
      propagation: false,
    }
    const { dns, gateway } = await openDns([cloudflare({ ...usual, ...options })], root.path)
    onTestFinished(gateway.close)
    const present = (at = '_acme-challenge.gw.example.org', value = challengeValue()) =>
      dns.present(at, value, AbortSignal.timeout(20_000))
    return { ...api, present, values, dns }
  }

  it('finds the zone once, and then makes one call for a record', async () => {
    const { present, asked, values } = await open()
    await present()
    await present()
    expect(asked.map(({ method, path }) => `${method} ${path.replace(/a{9,}/, '')}`)).toEqual([
      'GET /client/v4/zones',
      'GET /client/v4/zones',
      'POST /client/v4/zones/1/dns_records',
      'POST /client/v4/zones/1/dns_records',
    ])
    expect(values('_acme-challenge.gw.example.org')).toHaveLength(2)
  })
  it('says DNS_DENIED for a wrong token, and for a zone that it may not see', async () => {
    process.env.GATEWAY_TEST_WRONG = 'wrong-token-4714'
    const { present } = await open({ token: { env: 'GATEWAY_TEST_WRONG' } })
    await expect(present()).rejects.toMatchObject({
      code: 'DNS_DENIED',
      message: expect.not.stringContaining('wrong-token-4714'),
    })
    const right = await open()
    await expect(right.present('_acme-challenge.example.net')).rejects.toMatchObject({
      code: 'DNS_DENIED',
      fix: expect.stringContaining('add the zone'),
    })
  })
  it('waits where it is told that it asks too often', async () => {
    let calls = 0
    const { present } = await open({}, () =>
      ++calls === 1
        ? {
            status: 429,
            headers: { 'retry-after': '0' },
            json: { success: false, errors: [{ code: 971, message: 'slow down' }] },
          }
        : undefined,
    )
    await present()
  })
  it.each([
    ['fails', () => ({ status: 502, text: '<html>bad gateway</html>' })],
    ['answers what is no JSON', () => ({ status: 200, text: 'hello' })],
    ['answers half of it', () => ({ status: 200, text: '{"success":true,"result":[{"id"' })],
    ['answers another shape', () => ({ status: 200, json: { success: true, result: 'none' } })],
  ])('says what is wrong where the API %s', async (_, answer) => {
    const { present } = await open({}, answer)
    await expect(present()).rejects.toMatchObject({ code: expect.stringMatching(/^DNS_/), fix: expect.stringMatching(/./) })
  })
  it('refuses a token in the config itself', () =>
    expect(() => cloudflare({ zones: ['example.org'], token: 'abc' } as never)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.not.stringContaining('abc') }),
    ))
})
