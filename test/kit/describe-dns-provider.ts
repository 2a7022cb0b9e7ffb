import { randomBytes, X509Certificate } from 'node:crypto'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createGateway,
  type DnsWriter,
  definePlugin,
  type Plugin,
  type RunningGateway,
  DnsWriter as Writer,
} from '../../core/index.ts'
import { ask, askTexts } from '../../lib/dns/ask.ts'
import type { NameServer } from '../../lib/dns/name-server.ts'
import { textsOf } from '../../lib/dns/reply.ts'
import { level } from '../../plugins/index.ts'
import { issuedBy } from './issued-by.ts'
import { endKept } from './kept.ts'
import { type Root, tempRoot } from './root.ts'

/** Where a DNS provider works while a case runs. */
export interface DnsPlace {
  /** The plugin, and what it needs beside a store; called again when a case starts the gateway anew. */
  readonly plugins: () => readonly Plugin[]
  /** The name server that a CA would come to in the end. */
  readonly server: NameServer
  /** Domains of which the provider has the `_acme-challenge` names. */
  readonly domains: readonly [string, ...string[]]
  /** Ends what stands outside of the gateway. */
  close?(): unknown
}
export interface DnsProviderUnderTest {
  /** Makes the place for one case, in an empty folder of its own. */
  readonly open: (root: string) => DnsPlace | Promise<DnsPlace>
  /** What must never be in a log or an error: tokens, passwords, keys. */
  readonly secrets?: readonly string[]
  /** How many values are put up at the same time; 50 by default. */
  readonly parallel?: number
  /** The most values that one name can have at a time, where the provider's service sets such a limit; more then wait for a cleanup. */
  readonly atOnce?: number
  /** A cleaned value may be answered on until another takes its place: the provider's service cannot delete. */
  readonly lingers?: boolean
  /** Milliseconds within which a cleaned value is gone from the answers; 10,000 by default. */
  readonly gone?: number
}

/** The conformance suite of DNS providers: what a CA would be answered is asked of the name server itself, over UDP and TCP, and a Pebble issues by it. For vitest. */
export const describeDnsProvider = (name: string, under: DnsProviderUnderTest): void => {
  const { parallel = 50, gone = 10_000, secrets = [], atOnce = Number.POSITIVE_INFINITY, lingers = false } = under
  describe(`${name} as a DNS provider`, () => {
    let root: Root
    let place: DnsPlace
    let dns: DnsWriter
    let gateway: RunningGateway
    const log: string[] = []
    const start = async () => {
      const opened = await openDns(place.plugins(), root.path, (line) => log.push(line))
      dns = opened.dns
      gateway = opened.gateway
    }
    beforeEach(async () => {
      log.length = 0
      root = tempRoot('dns')
      place = await under.open(root.path)
      await start()
    })
    afterEach(async () => {
      await gateway?.close()
      await endKept(root.path)
      await place?.close?.()
      await root.remove()
      for (const secret of secrets) expect(log.join('\n')).not.toContain(secret)
    })
    const at = () => `_acme-challenge.${place.domains[0]}`
    const present = (value: string, fqdn = at(), signal = AbortSignal.timeout(60_000)) => dns.present(fqdn, value, signal)
    /** As a resolver asks: again where nobody answers at all, for a name server that is started again with each change. */
    const told = async (over: 'udp' | 'tcp' = 'tcp', fqdn = at()): Promise<readonly string[]> => {
      const late = AbortSignal.timeout(5_000)
      for (;;) {
        try {
          return await askTexts(place.server, fqdn, { over, timeout: 1_000 })
        } catch (error) {
          if (late.aborted) throw error
          await new Promise((done) => setTimeout(done, 20))
        }
      }
    }
    const goneFrom = async (value: string, fqdn = at()) => {
      const until = Date.now() + gone
      while (!lingers) {
        const texts = await told('tcp', fqdn).catch(() => [value])
        if (!texts.includes(value)) return
        if (Date.now() > until) throw new Error(`${value} is still answered`)
        await new Promise((done) => setTimeout(done, 20))
      }
    }
    const refusal = (doing: Promise<unknown>) =>
      doing.then(
        () => expect.fail('it was not refused'),
        (error: unknown) => {
          const { code, message, fix } = error as { code?: string; message: string; fix?: string }
          for (const secret of secrets) expect(`${message} ${fix}`).not.toContain(secret)
          expect(fix, `what to do about ${code}: ${message}`).toBeTruthy()
          return code
        },
      )

    it('is answered over UDP and over TCP when present returns', async () => {
      const value = challengeValue()
      await present(value)
      expect(await told('udp')).toContain(value)
      expect(await told('tcp')).toContain(value)
    })

    it('answers a TXT record of the value alone, no longer kept than a minute', async () => {
      const value = challengeValue()
      await present(value)
      const { rcode, answers } = await ask(place.server, at(), 'TXT', { over: 'tcp' })
      expect(rcode).toBe(0)
      const [record] = answers.filter((each) => textsOf({ answers: [each] }).includes(value))
      expect(record).toMatchObject({ type: 'TXT', data: value })
      expect(record?.ttl).toBeLessThanOrEqual(60)
    })

    it('has values of one name side by side, and takes away one alone', async () => {
      const [wildcard = '', ...others] = Array.from({ length: Math.min(3, atOnce) }, challengeValue)
      for (const value of [wildcard, ...others]) await present(value)
      expect(await told()).toEqual(expect.arrayContaining([wildcard, ...others]))
      await dns.cleanup(at(), wildcard)
      await goneFrom(wildcard)
      expect(await told()).toEqual(expect.arrayContaining(others))
      expect(await told('udp')).toEqual(expect.arrayContaining(others))
      const next = challengeValue()
      await present(next)
      expect(await told()).toEqual(expect.arrayContaining([next, ...others]))
    })

    it('takes values of every letter that there may be', async () => {
      const values = [`${'-'.repeat(42)}A`, `_IP_TOKEN_DOMAIN_${'x'.repeat(26)}`, `-${'0'.repeat(41)}_`]
      for (const value of values) {
        await present(value)
        expect(await told()).toContain(value)
        await dns.cleanup(at(), value)
      }
    })

    it('does nothing more when a value comes twice, and takes it away at once', async () => {
      const value = challengeValue()
      await Promise.all([present(value), present(value)])
      await present(value)
      expect((await told()).filter((text) => text === value)).toHaveLength(1)
      await dns.cleanup(at(), value)
      await goneFrom(value)
      await dns.cleanup(at(), value)
    })

    it('cleans up what was never there without a complaint', async () => {
      const value = challengeValue()
      await dns.cleanup(at(), value)
      const other = challengeValue()
      await present(other)
      await dns.cleanup(at(), value)
      expect(await told()).toContain(other)
    })

    it('presents a value again that was cleaned up', async () => {
      const value = challengeValue()
      await present(value)
      await dns.cleanup(at(), value)
      await present(value)
      expect(await told()).toContain(value)
    })

    it('knows a name in any case, and with a dot at its end', async () => {
      const value = challengeValue()
      await present(value, `_ACME-challenge.${place.domains[0].toUpperCase()}.`)
      expect(await told()).toContain(value)
      await dns.cleanup(`${at()}.`, value)
      await goneFrom(value)
    })

    it('takes many at once, of apex and wildcard together, and cleans up each without touching another', async () => {
      const kept = challengeValue()
      await present(kept)
      const values = Array.from({ length: parallel }, challengeValue)
      await Promise.all(
        values.map(async (value, at) => {
          await present(value)
          expect(await told()).toEqual(expect.arrayContaining([kept, value]))
          if (at % 2 === 0 || atOnce < parallel) await dns.cleanup(fqdn(), value)
        }),
      )
      const odd = atOnce < parallel ? [] : values.filter((_, at) => at % 2 === 1)
      expect(await told()).toEqual(expect.arrayContaining([kept, ...odd]))
      await Promise.all(odd.map((value) => dns.cleanup(fqdn(), value)))
      for (const value of values) await goneFrom(value)
      expect(await told()).toContain(kept)
    })
    const fqdn = () => at()

    it('has each domain of its own apart', async () => {
      const names = place.domains.map((domain) => `_acme-challenge.${domain}`)
      const values = names.map(challengeValue)
      await Promise.all(names.map((each, at) => present(values[at] ?? '', each)))
      for (const [at, each] of names.entries()) {
        const own = values[at] ?? ''
        expect((await told('tcp', each)).filter((text) => values.includes(text))).toEqual([own])
        await dns.cleanup(each, own)
        await goneFrom(own, each)
      }
    })

    it.each([
      '_acme-challenge.elsewhere.invalid',
      '_acme-challenge.invalid',
      '__acme-challenge.gw.example.org',
      '-C/etc/passwd',
      'x;rm -rf ~',
      '_acme-challenge.$(id).org',
      '_acme-challenge.gw.example.org\ntxt-record=x',
      '_acme-challenge.gw.example.org,x',
      '_acme-challenge.gw.example.org..',
      '',
    ])('refuses the name %j and answers on', async (fqdn) => {
      const value = challengeValue()
      await present(value)
      expect(await refusal(present(challengeValue(), fqdn))).toBe('FORBIDDEN')
      expect(await refusal(dns.cleanup(fqdn, value))).toBe('FORBIDDEN')
      expect(await told()).toContain(value)
    })

    it('refuses a name that only ends like one of its own', async () => {
      expect(await refusal(present(challengeValue(), `_acme-challenge.evil${place.domains[0]}`))).toBe('FORBIDDEN')
      expect(await refusal(present(challengeValue(), place.domains[0]))).toBe('FORBIDDEN')
    })

    it.each([
      '',
      'A'.repeat(42),
      'A'.repeat(44),
      `${'A'.repeat(42)}=`,
      `${'A'.repeat(42)}/`,
      `${'A'.repeat(42)}&`,
      `${'A'.repeat(42)}"`,
      `${'A'.repeat(43)}\n`,
      `${'A'.repeat(42)}é`,
      '$(touch /tmp/gateway-dns-value)'.padEnd(43, 'x'),
    ])('refuses the value %j and answers on', async (value) => {
      const kept = challengeValue()
      await present(kept)
      expect(await refusal(present(value))).toBe('BAD_REQUEST')
      expect(await told()).toContain(kept)
    })

    it('stops when it is told to, and goes on for the others', async () => {
      const [kept, dropped] = [challengeValue(), challengeValue()]
      await present(kept)
      await expect(present(challengeValue(), at(), AbortSignal.abort(new Error('told to stop')))).rejects.toThrow('told to stop')
      const stop = new AbortController()
      const doing = present(dropped, at(), stop.signal).catch(() => undefined)
      stop.abort(new Error('told to stop'))
      await doing
      await dns.cleanup(at(), dropped)
      await goneFrom(dropped)
      expect(await told()).toContain(kept)
    })

    it('has a CA issue for a domain and its wildcard, which sees nothing but what it answers', async () => {
      const [domain] = place.domains
      const names = atOnce < 2 ? [`*.${domain}`] : [`*.${domain}`, domain]
      const { chain } = await issuedBy({ dns, server: place.server, domain, names })
      expect(new X509Certificate(chain).subjectAltName).toBe(names.map((name) => `DNS:${name}`).join(', '))
    }, 150_000)

    it('answers after a restart of the gateway with what an order in flight put up, and can clean it up', async () => {
      const [first, second] = [challengeValue(), challengeValue()]
      await present(first)
      await gateway.close()
      await start()
      await present(second)
      expect(await told()).toEqual(expect.arrayContaining([first, second]))
      await dns.cleanup(at(), first)
      await goneFrom(first)
      expect(await told()).toContain(second)
    })
  })
}

/** A value as an ACME client makes them. */
export const challengeValue = (): string => randomBytes(32).toString('base64url')

/** A gateway with these plugins and a store, and the DNS writer of theirs. */
export const openDns = async (
  plugins: readonly Plugin[],
  root: string,
  log: (line: string) => void = () => undefined,
): Promise<{ readonly dns: DnsWriter; readonly gateway: RunningGateway }> => {
  let dns: DnsWriter | undefined
  const user = definePlugin({
    name: 'service/dns-user',
    kind: 'service',
    needs: { dns: Writer },
    setup: (given) => {
      dns = given.dns
      return {}
    },
  })
  const gateway = await createGateway(
    { plugins: [level(), ...plugins, user] },
    { root, log: (...line) => log(inspect(line, { depth: 6 })) },
  )
  if (!dns) throw new Error('the DNS writer was not given')
  return { dns, gateway }
}
