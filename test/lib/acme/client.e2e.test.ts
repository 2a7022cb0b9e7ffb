import { X509Certificate } from 'node:crypto'
import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ariId, renewalInfo } from '../../../lib/acme/ari.ts'
import { dns01Value } from '../../../lib/acme/challenge.ts'
import { type Account, acmeClient } from '../../../lib/acme/client.ts'
import { orderCertificate } from '../../../lib/acme/order.ts'
import { challengeOf } from '../../../lib/dns/challenge.ts'
import { type FakeDns, type Pebble, startDns, startFaults, startPebble } from '../../kit/index.ts'

let dns: FakeDns
let pebble: Pebble
const kept: Account[] = []
beforeAll(async () => {
  dns = await startDns()
  pebble = await startPebble({ dns: dns.address, nonceReject: 30, blocklist: ['blocked.example'] })
})
afterAll(async () => {
  await pebble.close()
  await dns.close()
})
const client = (account?: Account) =>
  acmeClient({
    directory: pebble.directory,
    trust: pebble.trust,
    email: 'ops@example.org',
    account,
    keep: async (made) => void kept.push(made),
  })
const until = () => AbortSignal.timeout(60_000)

test('a wildcard with its apex is proved over dns-01, under one name with two values', async () => {
  const one = client()
  const issued = await orderCertificate(
    one,
    {
      names: ['*.gw.example.org', 'gw.example.org'],
      challenge: 'dns-01',
      present: ({ domain, keyAuthorization }) => dns.addTxt(challengeOf(domain), dns01Value(keyAuthorization)),
      cleanup: ({ domain, keyAuthorization }) => dns.removeTxt(challengeOf(domain), dns01Value(keyAuthorization)),
    },
    until(),
  )
  const leaf = new X509Certificate(issued.chain)
  expect(leaf.subjectAltName).toBe('DNS:*.gw.example.org, DNS:gw.example.org')
  expect(leaf.verify(new X509Certificate(issued.chain.split(/(?<=-----END CERTIFICATE-----\n)/)[1]!).publicKey)).toBe(true)
  const info = await renewalInfo(one, issued.chain, until())
  expect(info?.start.getTime()).toBeGreaterThan(Date.now())
  expect(kept).toHaveLength(1)
  one.close()
})

test('a domain is proved over http-01 by an account that was kept', async () => {
  const answers = new Map<string, string>()
  const server = createServer((req, res) => res.end(answers.get(req.url?.split('/').at(-1) ?? '')))
  await new Promise<void>((done) => server.listen(pebble.http, '127.0.0.1', done))
  dns.set('shop.example', { A: ['127.0.0.1'] })
  const one = client(kept[0])
  const issued = await orderCertificate(
    one,
    {
      names: ['shop.example'],
      challenge: 'http-01',
      present: ({ token, keyAuthorization }) => void answers.set(token, keyAuthorization),
      cleanup: ({ token }) => void answers.delete(token),
    },
    until(),
  )
  expect(new X509Certificate(issued.chain).checkHost('shop.example')).toBe('shop.example')
  expect(answers.size).toBe(0)
  expect(kept).toHaveLength(1)
  server.close()
  one.close()
})

test('a blocked name is refused with the words of the CA', async () => {
  const one = client(kept[0])
  const order = orderCertificate(one, { names: ['blocked.example'], challenge: 'http-01', present() {}, cleanup() {} }, until())
  await expect(order).rejects.toMatchObject({ name: 'AcmeProblem', kind: 'rejectedIdentifier' })
  one.close()
})

test('the name of a certificate towards its CA is that of RFC 9773 section 4.1', async () => {
  const { chain } = await orderCertificate(
    client(kept[0]),
    {
      names: ['ari.example'],
      challenge: 'dns-01',
      present: ({ domain, keyAuthorization }) => dns.addTxt(challengeOf(domain), dns01Value(keyAuthorization)),
      cleanup: () => undefined,
    },
    until(),
  )
  expect(await ariId(chain)).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/)
})

test('a CA that hangs is given up at the deadline of one answer, and at once by who waits no longer', async () => {
  const world = await startFaults(pebble)
  world.fault = () => 'hang'
  const asked = { directory: world.directory, trust: world.trust, keep: async () => undefined }
  const [slow, patient] = [acmeClient({ ...asked, seconds: 0.2 }), acmeClient(asked)]
  await expect(slow.directory(until())).rejects.toMatchObject({
    name: 'CaUnreachable',
    message: expect.stringContaining('0.2 s'),
  })
  const stop = new AbortController()
  const waiting = patient.directory(stop.signal)
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  slow.close()
  patient.close()
  await world.close()
})
