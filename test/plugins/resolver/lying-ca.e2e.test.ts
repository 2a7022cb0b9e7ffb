import { webcrypto } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DnsWriter, definePlugin } from '../../../core/index.ts'
import { httpApi } from '../../../plugins/index.ts'
import { freePort, type Lie, type LyingCa, refuse, startLyingCa, tempRoot } from '../../kit/index.ts'
import { type Served, serve } from './acme-parts.ts'

const day = 86_400_000
let folder: ReturnType<typeof tempRoot>
let ca: LyingCa
let world: Parameters<typeof serve>[0]
let served: Served

const writer = () =>
  definePlugin({
    name: 'dns-provider/none',
    kind: 'dns-provider',
    options: {},
    provides: { dns: DnsWriter },
    setup: () => ({ api: { dns: { present: async () => undefined, cleanup: async () => undefined } } }),
  })
const open = async (o: Parameters<typeof serve>[1] = {}) => {
  const acme = { preflight: { here: false, caa: false, reach: false, delegation: false }, ...o.acme }
  served = await serve(world, { ...o, acme })
}
beforeAll(async () => {
  folder = tempRoot('lying-ca')
  ca = await startLyingCa()
  const trust = join(folder.path, 'trust.pem')
  await writeFile(trust, ca.trust)
  const [http, https] = [await freePort(), await freePort()]
  const authorities = [{ directory: ca.directory, trust }] as const
  world = { http, https, writer, acme: { authorities, nameServers: [], httpPort: http } }
})
beforeEach(() => {
  ca.lie = {}
  ca.asked.length = 0
})
afterEach(() => served.close())
afterAll(async () => {
  await ca.close()
  await folder.remove()
})

const good = 'good.example'
const idOf = (name: string) => served.certificate(name)?.id ?? ''
const renew = () => served.gateway.certificates.renew(idOf(good))
const chain = () => served.certificate(good)?.certificate?.chain
const weakKey = async () => {
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 1_024,
    publicExponent: new Uint8Array([1, 0, 1]),
  }
  return (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])).publicKey
}
const otherKey = async () => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  return (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])).publicKey
}
const at = (days: number) => new Date(Date.now() + days * day)
/** Answers paths of this beginning by something else than the CA. */
const instead =
  (begin: string, answer: NonNullable<Lie['instead']>): NonNullable<Lie['instead']> =>
  (path, res, req) =>
    path.startsWith(begin) && answer(path, res, req)

const lies: Readonly<Record<string, { lie: Lie; code: string; error: RegExp }>> = {
  'wants more authorizations than names': {
    lie: { order: (_, url) => ({ authorizations: Array.from({ length: 500 }, (_, at) => `${url}/authorization/1/${at}`) }) },
    code: 'CA_UNREACHABLE',
    error: /500 authorizations for an order of 1 names/,
  },
  'wants one authorization twice': {
    lie: { order: ({ authorizations }) => ({ authorizations: [authorizations, authorizations].flat() }) },
    code: 'CA_UNREACHABLE',
    error: /2 authorizations/,
  },
  "wants another tenant's name proved": {
    lie: { authorization: () => ({ status: 'pending', identifier: { type: 'dns', value: 'victim.example' } }) },
    code: 'CA_UNREACHABLE',
    error: /'victim\.example' to be proved, which is none/,
  },
  'issues for more names': {
    lie: { names: (names) => [...names, 'victim.example'] },
    code: 'CERT_INVALID',
    error: /victim\.example too/,
  },
  'issues for a wildcard that covers them': { lie: { names: () => ['*.example'] }, code: 'CERT_INVALID', error: /\*\.example/ },
  "issues for another tenant's name": {
    lie: { names: () => ['victim.example'] },
    code: 'CERT_INVALID',
    error: /not for good\.example/,
  },
  'issues for no name': { lie: { names: () => [] }, code: 'CERT_INVALID', error: /not for good\.example|cannot be parsed/ },
  'issues for another key': { lie: { key: otherKey }, code: 'CERT_INVALID', error: /another key/ },
  'issues for a weak key': { lie: { key: weakKey }, code: 'CERT_INVALID', error: /another key|1024 bits/ },
  'issues for the past': { lie: { dates: { notBefore: at(-9), notAfter: at(-5) } }, code: 'CERT_INVALID', error: /ended on/ },
  'issues for the future': {
    lie: { dates: { notBefore: at(60), notAfter: at(99) } },
    code: 'CERT_INVALID',
    error: /not valid before/,
  },
  'issues for a minute': {
    lie: { dates: { notBefore: new Date(Date.now() - 1_000), notAfter: new Date(Date.now() + 900_000) } },
    code: 'CERT_INVALID',
    error: /less than an hour/,
  },
  'sends a chain with a key in it': {
    lie: { chain: (pem) => `${pem}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n` },
    code: 'CERT_INVALID',
    error: /no PEM certificate/,
  },
  'sends a chain of a hundred certificates': {
    lie: { chain: (pem) => pem.repeat(100) },
    code: 'CERT_INVALID',
    error: /chain has/,
  },
  'sends a certificate without end': {
    lie: {
      instead: instead('/certificate/', (_, res) => {
        const more = () => {
          while (!res.destroyed && res.write(Buffer.alloc(16_384, 'A')));
        }
        res.on('drain', more)
        more()
        return true
      }),
    },
    code: 'CA_UNREACHABLE',
    error: /over 262144 bytes/,
  },
  'names an order at another host': {
    lie: { instead: instead('/order', (path, res) => path === '/order' && foreign(res)) },
    code: 'CA_UNREACHABLE',
    error: /not at the site of its directory/,
  },
  'names the finalization at another host': {
    lie: { order: () => ({ finalize: 'https://127.0.0.2:1/finalize' }) },
    code: 'CA_UNREACHABLE',
    error: /stays ready|not at the site/,
  },
  'names the certificate at another host': {
    lie: { order: () => ({ certificate: 'https://127.0.0.2:1/certificate' }) },
    code: 'CA_UNREACHABLE',
    error: /not at the site/,
  },
  'has a valid order without a certificate': {
    lie: { order: ({ status }) => (status === 'valid' ? { certificate: undefined } : {}) },
    code: 'CA_UNREACHABLE',
    error: /left certificate out/,
  },
  'sends a nonce of 9000 letters': {
    lie: { headers: { 'replay-nonce': 'n'.repeat(9_000) } },
    code: 'CA_UNREACHABLE',
    error: /gave no nonce/,
  },
  'refuses every nonce': {
    lie: { instead: (_, res, { method }) => method === 'POST' && refuse(res, 400, 'badNonce', 'no') },
    code: 'CA_UNREACHABLE',
    error: /refused 20 nonces/,
  },
  'sends everybody elsewhere': {
    lie: { instead: (_, res, { method }) => method === 'POST' && Boolean(res.writeHead(302, { location: '/elsewhere' }).end()) },
    code: 'CA_UNREACHABLE',
    error: /it answered 302/,
  },
}
const foreign = (res: Parameters<NonNullable<Lie['instead']>>[1]): true => {
  const headers = { 'content-type': 'application/json', 'replay-nonce': 'abc', location: 'https://127.0.0.2:1/orders/1' }
  res.writeHead(201, headers).end(JSON.stringify({ status: 'pending', authorizations: [], finalize: 'https://127.0.0.2:1/f' }))
  return true
}

describe('a CA that lies takes no good certificate away, and no name of others is hurt', () => {
  for (const [what, { lie, code, error }] of Object.entries(lies))
    test(what, async () => {
      await open()
      await served.fqdn(good)
      const before = chain()
      ca.lie = lie
      await expect(renew()).rejects.toMatchObject({ code })
      const shown = served.certificate(good)
      expect(shown).toMatchObject({ state: 'ready', code, error: expect.stringMatching(error), next: expect.any(Date) })
      expect(chain()).toBe(before)
      // An order that cannot be fetched is tried a few times, and holds up no other name.
      ca.lie = {}
      await served.fqdn('other.example')
      await renew()
      expect(served.certificate(good)?.code).toBeUndefined()
    })
})

test('an order that can never be fetched is given up after ten tries, and another one is made', async () => {
  await open()
  let first: string | undefined
  ca.lie = {
    instead: instead('/certificate/', (path, res) => {
      first ??= path
      return path === first && Boolean(res.writeHead(503).end())
    }),
  }
  await served.fqdn(good, {})
  await expect.poll(() => served.certificate(good)?.code).toBe('CA_UNREACHABLE')
  for (let tries = 1; tries < 10; tries++) await expect(renew()).rejects.toMatchObject({ code: 'CA_UNREACHABLE' })
  await renew()
  expect(served.certificate(good)).toMatchObject({ state: 'ready' })
  expect(ca.asked.filter((asked) => asked === 'POST /order')).toHaveLength(2)
})

test('an order that the CA is still processing at a restart is fetched afterwards, and no second one is made', async () => {
  await open()
  ca.lie = { order: ({ status }) => (status === 'valid' ? { status: 'processing', certificate: undefined } : {}) }
  await served.fqdn(good, {})
  await expect
    .poll(() => ca.asked.filter((asked) => asked.startsWith('POST /orders/')).length, { timeout: 20_000 })
    .toBeGreaterThan(2)
  const { root } = served
  await served.close()
  ca.lie = {}
  await open({ root })
  await expect.poll(() => served.certificate(good)?.state, { timeout: 20_000 }).toBe('ready')
  expect(ca.asked.filter((asked) => asked === 'POST /order')).toHaveLength(1)
})

test('a finalization that is answered 504 is no order that is lost', async () => {
  await open()
  let first = true
  ca.lie = {
    instead: instead('/finalize/', (_, res) => {
      if (!first) return false
      first = false
      return Boolean(res.writeHead(504).end())
    }),
  }
  await served.fqdn(good)
  expect(ca.asked.filter((asked) => asked === 'POST /order')).toHaveLength(1)
})

describe('a renewal comes in time whatever the CA says of it', () => {
  const windows = {
    'in the past': { start: '1970-01-01T00:00:00Z', end: '1970-01-02T00:00:00Z' },
    'at no time': { start: 'soon', end: Number.NaN },
    'in ten thousand years': { start: '+012026-01-01T00:00:00Z', end: '+012027-01-01T00:00:00Z' },
    'after its end': { start: new Date(Date.now() + 400 * day), end: new Date(Date.now() + 401 * day) },
  }
  for (const [what, suggestedWindow] of Object.entries(windows))
    test(`a window ${what}`, async () => {
      ca.lie = { renewal: () => ({ suggestedWindow }) }
      await open()
      await served.fqdn(good)
      await expect.poll(() => ca.asked.some((asked) => asked.startsWith('GET /renewal')), { timeout: 20_000 }).toBe(true)
      const { next, certificate } = served.certificate(good) ?? {}
      expect(next?.getTime()).toBeGreaterThan(Date.now() + 3_600_000)
      expect(next?.getTime()).toBeLessThan((certificate?.notAfter.getTime() ?? 0) - 8 * day)
    })

  test('a certificate until the year 9999', async () => {
    ca.lie = { dates: { notBefore: at(-1), notAfter: new Date('9999-12-31T23:59:59Z') } }
    await open()
    await served.fqdn(good)
    expect(served.certificate(good)?.next?.getTime()).toBeLessThan(Date.now() + 300 * day)
  })
})

test('an account that the CA deactivated has a code, and is replaced by the verb and by the HTTP API', async () => {
  await open({ more: [httpApi()] })
  await served.fqdn(good)
  const account = async () => JSON.parse((await served.run('acme-account', '--json')).text)[0]
  const { url: first } = await account()
  let dead = first
  ca.lie = {
    instead: (path, res) => path === '/order' && !ca.asked.includes('revived') && refuse(res, 401, 'unauthorized', 'deactivated'),
  }
  await expect(renew()).rejects.toMatchObject({ code: 'ACCOUNT_DEACTIVATED' })
  expect(await account()).toMatchObject({ state: 'deactivated', url: dead })
  const { code, text } = await served.run('acme-account', '--new', ca.directory)
  expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining('has the new account') })
  dead = (await account()).url
  expect(dead).not.toBe(first)
  ca.asked.push('revived')
  await renew()
  expect(served.certificate(good)?.code).toBeUndefined()
  expect((await served.run('acme-account', '--new', 'https://other.example/dir')).text).toContain('NOT_FOUND')
})

test('the directory is read again at a reload', async () => {
  await open()
  await served.fqdn(good)
  const reads = () => ca.asked.filter((asked) => asked === 'GET /directory').length
  const before = reads()
  await served.fqdn('second.example')
  expect(reads()).toBe(before)
  await served.gateway.reload()
  await served.fqdn('third.example')
  expect(reads()).toBe(before + 1)
})
