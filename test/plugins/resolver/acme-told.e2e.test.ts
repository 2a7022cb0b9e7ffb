import { once } from 'node:events'
import { chmodSync, cpSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { shown } from '../../../lib/shown.ts'
import { cloudflare, httpApi, responder } from '../../../plugins/index.ts'
import { type AcmeWorld, freePort, startAcmeWorld, tempRoot } from '../../kit/index.ts'
import { startApi } from '../dns-provider/api.ts'
import { cloudflareApi } from '../dns-provider/cloudflare-api.ts'
import { domain, hanging, serve } from './acme-parts.ts'

type Given = NonNullable<Parameters<typeof serve>[1]>
interface Case {
  /** What is set up badly; the world is there by then. */
  readonly given?: () => Given | Promise<Given>
  /** Whose certificate fails; by default one of a domain of its own. */
  readonly name?: string
  readonly code: string
  /** Of what is said to be done. */
  readonly fix: RegExp
  /** The CA gives nobody anything: what was issued before is served on. */
  readonly nobody?: true
  /** It is told beside a certificate that was issued. */
  readonly state?: 'ready'
}

const wildcard = `*.${domain}`
const key = Buffer.from('an account key for the tests, of 32 bytes at least').toString('base64url')
let world: AcmeWorld
let ca: string
const before = tempRoot('acme-before')
let good: unknown

/** A CA that binds accounts, by the external account of this name. */
const account = (id: string): NonNullable<Given['acme']> => {
  const [authority] = world.acme.authorities
  return { authorities: [{ ...authority, eab: { id, key } }] }
}
beforeAll(async () => {
  world = await startAcmeWorld({ blocklist: ['blocked.example'], caaIdentities: ['pebble.example'], eab: { 'kid-1': key } })
  ca = await world.pebble.root()
  world.dns.set('*.example', { A: ['127.0.0.1'] })
  world.dns.set(domain, { A: ['127.0.0.1'] })
  world.dns.set('caa.example', { A: ['127.0.0.1'], CAA: [{ tag: 'issue', value: 'other.example' }] })
  const served = await serve(world, { root: before.path, acme: account('kid-1') })
  await served.fqdn('good.example')
  good = await served.seen('good.example', ca)
  await served.close()
})
afterEach(() => void vi.useRealTimers())
afterAll(async () => {
  await world.close()
  await before.remove()
})

const onlyHere = (port: number) => responder({ addresses: ['127.0.0.1'], port })
const cases: Record<string, Case> = {
  'a CA whose URL is wrong': {
    given: () => ({
      acme: { authorities: [{ ...world.acme.authorities[0], directory: world.faults.directory.replace('/dir', '/nothing') }] },
    }),
    code: 'CA_UNREACHABLE',
    fix: /URL of the CA/,
    nobody: true,
  },
  'a CA that is not there': {
    given: async () => ({ acme: { authorities: [{ directory: `https://localhost:${await freePort()}/dir` }] } }),
    code: 'CA_UNREACHABLE',
    fix: /way from this machine/,
    nobody: true,
  },
  'an external account that the CA does not know': {
    given: () => {
      const { authorities: [authority] = [] } = account('kid-2')
      // Another CA as far as the gateway knows, or it would go on with the account that it has.
      const directory = `${world.faults.directory}?again`
      return { acme: { authorities: [typeof authority === 'object' ? { ...authority, directory } : { directory }] } }
    },
    code: 'EAB_INVALID',
    fix: /eab/,
    nobody: true,
  },
  'a name server whose port is taken': {
    given: async () => {
      const port = await freePort()
      const other = createServer().listen(port, '127.0.0.1')
      await once(other, 'listening')
      onTestFinished(() => void other.close())
      return { acme: { ...account('kid-1'), preflight: { delegation: false } }, dns: onlyHere(port) }
    },
    name: wildcard,
    code: 'PORT_IN_USE',
    fix: /./,
  },
  'a challenge zone that is not delegated': {
    given: async () => ({ acme: account('kid-1'), dns: onlyHere(await freePort()) }),
    name: wildcard,
    code: 'DELEGATION_MISSING',
    fix: new RegExp(`_acme-challenge\\.${domain}\\. NS ${domain}\\.`),
  },
  'a name that its CAA records forbid': { name: 'caa.example', code: 'CAA_FORBIDS', fix: /CAA 0 issue "pebble\.example"/ },
  'a name that the CA blocks': { name: 'blocked.example', code: 'NAME_BLOCKED', fix: /another name/ },
  'a DNS provider whose secret is wrong': {
    given: async () => {
      const api = await startApi(cloudflareApi({ token: 'the right one', zones: [domain] }).answer)
      onTestFinished(() => void api.close())
      process.env.GATEWAY_TEST_TOKEN = 'wrong-token-8251'
      const token = { env: 'GATEWAY_TEST_TOKEN' }
      return {
        acme: account('kid-1'),
        dns: cloudflare({ zones: [domain], api: `${api.url}/client/v4`, token, propagation: false }),
      }
    },
    name: wildcard,
    code: 'DNS_DENIED',
    fix: /./,
  },
  'a DNS provider that hangs': {
    given: () => ({ acme: account('kid-1'), named: { timeout: 1 }, dns: hanging(world, { well: false }) }),
    name: wildcard,
    code: 'DNS_UNAVAILABLE',
    fix: /dnsResolver\(\{ timeout \}\)/,
  },
  'a clock that is a day behind': {
    given: () => {
      vi.useFakeTimers({ toFake: ['Date'] })
      vi.setSystemTime(Date.now() - 86_400_000)
      return { acme: account('kid-1') }
    },
    code: 'CLOCK_SKEW',
    fix: /NTP/,
    state: 'ready',
  },
}

test.for(Object.entries(cases))('%s is told by `gateway certs`, and other names hear nothing of it', async ([, one]) => {
  const { name = 'late.example', code, fix, state = 'failed' } = one
  const root = tempRoot('acme-told')
  onTestFinished(root.remove)
  cpSync(before.path, root.path, { recursive: true })
  chmodSync(join(root.path, 'state'), 0o700)
  const given = (await one.given?.()) ?? { acme: account('kid-1') }
  const served = await serve(world, { root: root.path, more: [httpApi({ tcp: false })], ...given })
  onTestFinished(served.close)
  await (name === wildcard ? served.name('shop', {}) : served.fqdn(name, {}))
  const failed = () => served.certificate(name)
  await expect.poll(() => [failed()?.state, failed()?.code], { timeout: 60_000 }).toEqual([state, code])

  const { error = '', fix: said = '', id } = failed() ?? {}
  expect(said).toMatch(fix)
  const { text } = await served.run('certs')
  expect(text).toContain(`${name} (${id})\n  ${code}: ${shown(error)}\n  ${said}`)
  expect(text).not.toMatch(/^good\.example \(/m)
  expect(text).not.toContain('wrong-token-8251')
  expect(await served.seen('good.example', ca)).toEqual(good)
  if (one.nobody) return
  await served.fqdn('other.example')
  expect(await served.seen('other.example', ca)).toMatchObject({ names: 'DNS:other.example' })
})
