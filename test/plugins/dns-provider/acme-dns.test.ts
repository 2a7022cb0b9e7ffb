import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type AcmeDnsOptions, acmeDns } from '../../../plugins/index.ts'
import { challengeValue, describeDnsProvider, openDns, tempRoot } from '../../kit/index.ts'
import { type Answer, type Asked, startApi } from './api.ts'
import { domains, startRecords } from './records.ts'

const password = 'acme-dns-not-to-be-seen'

/** An acme-dns server: two rows an account, of which an update writes the one that was written longest ago, in whole seconds. */
const acmeDnsServer = () => {
  const accounts = new Map(
    domains.map((domain) => [
      domain as string,
      {
        subdomain: randomUUID(),
        username: randomUUID(),
        rows: [
          { txt: '', at: 0 },
          { txt: '', at: 0 },
        ],
      },
    ]),
  )
  const answer = ({ method, path, headers, body }: Asked): Answer => {
    if (method !== 'POST' || path !== '/update') return { status: 404 }
    const { subdomain, txt } = body as { subdomain: string; txt: string }
    const account = [...accounts.values()].find((one) => one.username === headers['x-api-user'])
    if (!account || headers['x-api-key'] !== password || account.subdomain !== subdomain)
      return { status: 401, json: { error: 'forbidden' } }
    if (!/^[A-Za-z0-9_-]{43}$/.test(txt)) return { status: 400, json: { error: 'bad_txt' } }
    account.rows.sort((a, b) => a.at - b.at)
    account.rows[0] = { txt, at: Math.floor(Date.now() / 1_000) }
    return { status: 200, json: { txt } }
  }
  const values = (name: string) => accounts.get(name.replace('_acme-challenge.', ''))?.rows.flatMap(({ txt }) => txt || []) ?? []
  const options = (api: string, root: string): AcmeDnsOptions => {
    writeFileSync(join(root, 'password'), password)
    return {
      api,
      accounts: Object.fromEntries(
        [...accounts].map(([domain, { subdomain, username }]) => [
          domain,
          { subdomain, username, password: { file: join(root, 'password') } },
        ]),
      ),
    }
  }
  return { answer, values, options }
}

describeDnsProvider('dns-provider/acme-dns', {
  async open(root) {
    const { answer, values, options } = acmeDnsServer()
    const [api, server] = await Promise.all([startApi(answer), startRecords(domains, values)])
    const close = () => Promise.all([api.close(), server.close()])
    return { plugins: () => [acmeDns({ ...options(api.url, root), propagation: server.propagation })], server, domains, close }
  },
  secrets: [password],
  parallel: 3,
  atOnce: 2,
  lingers: true,
})

describe('dns-provider/acme-dns', () => {
  const open = async (change: (options: AcmeDnsOptions) => AcmeDnsOptions = (options) => options) => {
    const { answer, options, values } = acmeDnsServer()
    const api = await startApi(answer)
    onTestFinished(api.close)
    const root = tempRoot('acme-dns')
    onTestFinished(root.remove)
    const { dns, gateway } = await openDns([acmeDns(change({ ...options(api.url, root.path), propagation: false }))], root.path)
    onTestFinished(gateway.close)
    return {
      dns,
      values: () => values(at),
      present: (value: string, signal = AbortSignal.timeout(20_000)) => dns.present(at, value, signal),
    }
  }
  const at = '_acme-challenge.gw.example.org'

  it('lets a third value wait until one of the two is cleaned up', async () => {
    const { dns, present, values } = await open()
    const [one, two, three] = [challengeValue(), challengeValue(), challengeValue()]
    await present(one)
    await present(two)
    const stop = new AbortController()
    const stopped = present(challengeValue(), stop.signal)
    stop.abort(new Error('told to stop'))
    await expect(stopped).rejects.toThrow('told to stop')
    const waiting = present(three)
    await dns.cleanup(at, two)
    await waiting
    expect(values()).toEqual(expect.arrayContaining([one, three]))
  })
  it('says DNS_DENIED for a wrong password', async () => {
    process.env.GATEWAY_TEST_ACME_DNS = 'wrong-4715'
    const { present } = await open((options) => ({
      ...options,
      accounts: { 'gw.example.org': { ...options.accounts['gw.example.org']!, password: { env: 'GATEWAY_TEST_ACME_DNS' } } },
    }))
    await expect(present(challengeValue())).rejects.toMatchObject({
      code: 'DNS_DENIED',
      message: expect.not.stringContaining('wrong-4715'),
    })
  })
  it.each([
    [{ accounts: {} }, 'accounts is empty'],
    [{ accounts: { 'gw.example.org': { subdomain: 'x' } } }, "accounts['gw.example.org'] is not whole"],
    [{ api: 'none' }, 'api'],
  ])('refuses %j where it is written', (options, what) =>
    expect(() => acmeDns({ api: 'https://acme-dns.example', accounts: {}, ...options } as never)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(`acmeDns: ${what}`) }),
    ),
  )
})
