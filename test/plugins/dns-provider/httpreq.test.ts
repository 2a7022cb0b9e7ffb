import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type HttpreqOptions, httpreq } from '../../../plugins/index.ts'
import { challengeValue, describeDnsProvider, openDns, tempRoot } from '../../kit/index.ts'
import { type Answer, type Asked, startApi } from './api.ts'
import { domains, keeping, startRecords } from './records.ts'

const secret = 'not-to-be-seen-4711'
const basic = Buffer.from(`gateway:${secret}`).toString('base64')

/** A server of lego's convention that keeps what it is told. */
const convention = () => {
  const { of } = keeping()
  const answer = ({ method, path, headers, body }: Asked): Answer => {
    if (headers.authorization !== `Basic ${basic}`) return { status: 401, text: `not ${headers.authorization}` }
    const { fqdn, value, ...more } = body as { fqdn: string; value: string }
    const right =
      method === 'POST' && headers['content-type'] === 'application/json' && fqdn.endsWith('.') && Object.keys(more).length === 0
    if (!right) return { status: 400, text: 'not the convention' }
    if (path === '/dns/present') of(fqdn.slice(0, -1)).add(value)
    else if (path === '/dns/cleanup') of(fqdn.slice(0, -1)).delete(value)
    else return { status: 404 }
    return { status: 200, text: 'ok' }
  }
  return { of, answer }
}

describeDnsProvider('dns-provider/httpreq', {
  async open(root) {
    const { of, answer } = convention()
    const [api, server] = await Promise.all([startApi(answer), startRecords(domains, of)])
    writeFileSync(join(root, 'password'), secret)
    const options: HttpreqOptions = {
      endpoint: `${api.url}/dns/`,
      zones: domains,
      username: 'gateway',
      password: { file: join(root, 'password') },
      propagation: server.propagation,
    }
    const close = () => Promise.all([api.close(), server.close()])
    return { plugins: () => [httpreq(options)], server, domains, close }
  },
  secrets: [secret, basic],
})

describe('dns-provider/httpreq', () => {
  const at = '_acme-challenge.gw.example.org'
  const open = async (answer: (asked: Asked) => Answer | Promise<Answer>, options: Partial<HttpreqOptions> = {}) => {
    const api = await startApi(answer)
    onTestFinished(api.close)
    const root = tempRoot('httpreq')
    onTestFinished(root.remove)
    const { dns, gateway } = await openDns(
      [httpreq({ endpoint: api.url, zones: ['example.org'], propagation: false, ...options })],
      root.path,
    )
    onTestFinished(gateway.close)
    return { ...api, present: () => dns.present(at, challengeValue(), AbortSignal.timeout(20_000)), dns }
  }

  it('sends domain, token and key authorization in raw mode', async () => {
    const { dns, asked, present } = await open(() => ({ status: 200 }), { mode: 'raw' })
    const proof = { domain: 'gw.example.org', token: 'some-token', keyAuthorization: 'some-token.thumbprint' }
    await dns.present(at, challengeValue(), AbortSignal.timeout(20_000), proof)
    await dns.cleanup(at, challengeValue(), proof)
    const body = { domain: 'gw.example.org', token: 'some-token', keyAuth: 'some-token.thumbprint' }
    expect(asked).toMatchObject([
      { method: 'POST', path: '/present', body },
      { method: 'POST', path: '/cleanup', body },
    ])
    await expect(present()).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })

  it('says DNS_DENIED for a wrong secret, without the secret that the server says back', async () => {
    process.env.GATEWAY_TEST_PASSWORD = 'wrong-4713'
    const seen = (asked: Asked) => ({ status: 401, text: `bad ${asked.headers.authorization} wrong-4713` })
    const { present } = await open(seen, { username: 'gateway', password: { env: 'GATEWAY_TEST_PASSWORD' } })
    const told = await present().catch((error) => error)
    expect(told).toMatchObject({ code: 'DNS_DENIED', fix: expect.stringContaining('secret') })
    expect(told.message).toMatch(/401 bad Basic \*\*\* \*\*\*$/)
  })

  it('asks again where the server says when', async () => {
    let calls = 0
    const { present, asked } = await open(() =>
      ++calls < 3 ? { status: 429, headers: { 'retry-after': '0' } } : { status: 200 },
    )
    await present()
    expect(asked).toHaveLength(3)
  })

  it.each([
    ['fails', () => ({ status: 500, text: 'out of order' }), /500 out of order/],
    ['does not know it', () => ({ status: 404 }), /404/],
    ['sends elsewhere', () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/' } }), /sends elsewhere/],
    ['never stops talking', () => ({ status: 200, text: 'x'.repeat(2 << 20) }), /1 MiB/],
  ])('says DNS_UNAVAILABLE where the server %s', async (_, answer, said) => {
    const { present } = await open(answer)
    await expect(present()).rejects.toMatchObject({ code: 'DNS_UNAVAILABLE', message: expect.stringMatching(said) })
  })
  it('says DNS_UNAVAILABLE where the server hangs, and where there is none', async () => {
    const { present, close } = await open(() => new Promise(() => undefined), { timeout: 0.3 })
    await expect(present()).rejects.toMatchObject({ code: 'DNS_UNAVAILABLE', message: expect.stringContaining('0.3 s') })
    await close()
    await expect(present()).rejects.toMatchObject({ code: 'DNS_UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED') })
  })

  it.each([
    [{ endpoint: 'ftp://example.org' }, 'endpoint'],
    [{ endpoint: 'https://user:hush@example.org' }, 'endpoint has a user or password in it'],
    [{ username: 'a' }, 'username and password'],
    [{ username: 'a', password: 'hush' }, 'password is not where the secret stands'],
  ])('refuses %j where it is written, and repeats no secret', (options, key) => {
    const make = () => httpreq({ endpoint: 'https://example.org', zones: ['example.org'], ...options } as never)
    expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(`httpreq: ${key}`) }))
    expect(make).not.toThrow('hush')
  })
})
