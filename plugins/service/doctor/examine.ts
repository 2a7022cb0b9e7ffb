import {
  type Acme,
  type DnsWriter,
  type Finding,
  GatewayError,
  type NodeFacts,
  type PublicConfig,
  type Routes,
  reason,
} from '../../../core/index.ts'
import { acmeClient } from '../../../lib/acme/client.ts'
import { aliasOf } from '../../../lib/dns/alias.ts'
import { checkCaa } from '../../../lib/dns/caa.ts'
import { challengeOf } from '../../../lib/dns/challenge.ts'
import { withoutSynthesized } from '../../../lib/dns/dns64.ts'
import { type DnsLook, dnsLook } from '../../../lib/dns/look.ts'
import { checkPointsHere } from '../../../lib/dns/points-here.ts'
import type { DnsProblem } from '../../../lib/dns/problem.ts'
import { delegatedTo, zoneAbove } from '../../../lib/dns/zone-above.ts'
import { canonicalHost, canonicalLabel, isUnder } from '../../../lib/host.ts'
import { parseIp } from '../../../lib/ip.ts'
import { shown } from '../../../lib/shown.ts'
import { checkChallengeZone } from './delegation.ts'
import type { Settings } from './options.ts'
import { checkHttp, checkHttps } from './ports.ts'

export interface Around {
  readonly settings: Settings
  readonly node: NodeFacts | undefined
  readonly acme: Acme | undefined
  readonly dns: DnsWriter | undefined
  readonly routes: Routes
}

/** Looks at one name from all sides; the checks run together. */
export const examine = async (around: Around, name: string, signal: AbortSignal) => {
  const { settings, node, routes } = around
  const config = await node?.publicConfig(signal)
  const host = hostOf(name, config?.domain)
  const zone = config?.domain !== undefined && isUnder(host, config.domain) ? config.domain : undefined
  const look = dnsLook({ servers: settings.nameServers, signal })
  const [a, aaaa] = await Promise.all([look.a(host), look.aaaa(host)])
  const door = {
    host,
    addresses: [...a.records, ...(await withoutSynthesized(look, a.records, aaaa.records))].slice(0, 8),
    signal,
  }
  const challenge = zone === undefined ? 'http-01' : 'dns-01'
  const names = zone === undefined ? [host] : [`*.${zone}`]
  const passthrough = routes.byHost(host)?.tls.mode === 'passthrough'
  const https = checkHttps({ ...door, port: settings.https })
  // No public CA issues for such a name, and no name server has its zone (RFC 6761 section 6.3).
  const needed =
    passthrough || isUnder(host, 'localhost')
      ? []
      : [
          zone === undefined ? checkHttp({ ...door, port: settings.http }) : challengeZone(around, look, zone, config, signal),
          caa(around, look, { names, challenge }, signal),
        ]
  const reachable = door.addresses.length > 0
  const found = await Promise.all([
    address(look, host, config),
    zone === undefined ? apex(look, host, config, settings.port, signal) : [],
    ...needed,
    reachable ? https : [],
  ])
  const findings = found.flat().filter((finding) => reachable || finding.check !== 'port-80')
  return { host, findings: passthrough ? findings : [...findings, ...budget(around.acme, names)] }
}

const hostOf = (name: string, domain: string | undefined): string => {
  const slip = /^_+acme.challenge\./i.test(name) ? 'ask for the domain itself, without the challenge label' : undefined
  const label = name.includes('.') ? undefined : canonicalLabel(name)
  const host = label !== undefined && domain !== undefined ? `${label}.${domain}` : canonicalHost(name)
  if (host === undefined)
    throw new GatewayError(
      'INVALID_FQDN',
      `'${shown(name)}' is no host name`,
      slip ?? "give a host name, or one label under the gateway's domain",
    )
  return host
}

const address = async (look: DnsLook, host: string, config: PublicConfig | undefined): Promise<Finding> => {
  if (!config?.ipv4 && !config?.ipv6)
    return {
      check: 'address',
      state: 'unknown',
      seen: 'the node has no public address to compare with',
      fix: 'give it one, such as by staticNode({ ipv4 })',
    }
  return told('address', await checkPointsHere(look, host, config), `${host} points to this node`)
}

/** A zone's own name cannot be an alias (RFC 1034 section 3.6.2); some name servers have it all the same, and others then lose the zone. */
const apex = async (
  look: DnsLook,
  host: string,
  config: PublicConfig | undefined,
  port: number,
  signal: AbortSignal,
): Promise<readonly Finding[]> => {
  const [alias, above] = await Promise.all([look.cname(host), zoneAbove(look, host, { port, signal })])
  const [target] = alias.records
  if (target === undefined || 'failed' in above) return []
  const reply = await above.ask(host, 'NS')
  if ('failed' in reply || delegatedTo(reply, host).length === 0) return []
  const lines = [config?.ipv4 && `${host}. A ${config.ipv4}`, config?.ipv6 && `${host}. AAAA ${config.ipv6}`].filter(Boolean)
  const seen = `${host} is a zone of its own and at once an alias (CNAME) of ${target}, which each name server takes in another way`
  return [{ check: 'apex', state: 'bad', seen, fix: `put addresses in place of the CNAME: ${lines.join(' and ')}` }]
}

const challengeZone = async (
  { settings, dns }: Around,
  look: DnsLook,
  domain: string,
  config: PublicConfig | undefined,
  signal: AbortSignal,
) => {
  if (dns && !dns.delegated) return [await aliased(look, challengeOf(domain))]
  const own = [config?.ipv4, config?.ipv6].flatMap((text) => (text && parseIp(text)?.text) || [])
  return checkChallengeZone({ look, own, port: settings.port, signal }, domain)
}

/** Where a DNS provider elsewhere writes the challenges of a name. */
const aliased = async (look: DnsLook, name: string): Promise<Finding> => {
  try {
    const alias = await aliasOf(look, name)
    const at = alias === undefined ? '' : `; ${name} is an alias (CNAME) of ${alias}, where they are written`
    return {
      check: 'challenge',
      state: 'ok',
      seen: `the DNS provider writes challenges into a zone elsewhere: no delegation is needed${at}`,
    }
  } catch (error) {
    return { check: 'challenge', state: 'bad', seen: reason(error), fix: `correct the CNAME records of ${name}` }
  }
}

interface Wanted {
  readonly names: readonly string[]
  readonly challenge: 'http-01' | 'dns-01'
}
const caa = async (
  { acme }: Around,
  look: DnsLook,
  { names, challenge }: Wanted,
  signal: AbortSignal,
): Promise<readonly Finding[]> => {
  const [authority] = acme?.authorities ?? []
  // Where another program issues, the CA is most likely the one that nearly everybody has.
  let identities: readonly string[] = authority?.caa ?? ['letsencrypt.org']
  if (authority && !authority.caa) {
    const client = acmeClient({ ...authority, keep: async () => undefined })
    try {
      identities = (await client.directory(signal)).caaIdentities
    } catch (error) {
      signal.throwIfAborted()
      const why = error instanceof Error ? error.message : String(error)
      return [
        {
          check: 'caa',
          state: 'unknown',
          seen: `the CA does not say its name: ${why}`,
          fix: 'look at the URL of the CA in acme(), and at the way to it',
        },
      ]
    } finally {
      client.close()
    }
  }
  const account = acme?.accounts?.().find(({ directory }) => directory === authority?.directory)?.url
  const found = await Promise.all(
    names.map((name) => checkCaa(look, { name, identities, challenge, accountOf: async () => account })),
  )
  const bad = found.find((problem) => problem !== undefined)
  return [told('caa', bad, `the CAA records let ${identities[0] ?? 'the CA'} issue for ${names.join(', ')}`)]
}

const budget = (acme: Acme | undefined, names: readonly string[]): readonly Finding[] =>
  (acme?.budget?.(names) ?? []).map(({ limit, left, of, again }) => ({
    check: 'budget',
    state: left > 0 ? 'ok' : 'bad',
    seen: `${left} of ${of} ${limit} are left`,
    ...(left <= 0 && { fix: again ? `wait: there is more at ${again.toISOString()}` : 'wait, or add another CA to acme()' }),
  }))

const told = (check: Finding['check'], problem: DnsProblem | undefined, fine: string): Finding =>
  problem
    ? { check, state: problem.code === 'DNS_FAILED' ? 'unknown' : 'bad', seen: problem.message, fix: problem.fix }
    : { check, state: 'ok', seen: fine }
