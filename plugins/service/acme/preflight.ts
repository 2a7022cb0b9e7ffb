import { randomBytes } from 'node:crypto'
import { type AcmeOrder, GatewayError, isErrorCode, type NodeFacts, type Problem } from '../../../core/index.ts'
import { challengeAnswer } from '../../../lib/acme/reach.ts'
import { aliasOf } from '../../../lib/dns/alias.ts'
import { checkCaa } from '../../../lib/dns/caa.ts'
import { challengeOf } from '../../../lib/dns/challenge.ts'
import { checkDelegation } from '../../../lib/dns/delegation.ts'
import { withoutSynthesized } from '../../../lib/dns/dns64.ts'
import { type DnsLook, dnsLook } from '../../../lib/dns/look.ts'
import { checkPointsHere } from '../../../lib/dns/points-here.ts'
import { followAliases } from './follow-aliases.ts'
import type { Settings } from './options.ts'

/** What can be known beforehand is found out before an order: a failed one counts against the account of everybody here. */
export const preflight = ({ preflight: on, nameServers, httpPort }: Settings, node: NodeFacts | undefined) => {
  const asker = (signal: AbortSignal): DnsLook => dnsLook({ servers: nameServers, signal })
  return {
    /** The order, with its proofs where CNAME records of `_acme-challenge` lead. */
    located: (order: AcmeOrder, signal: AbortSignal): Promise<AcmeOrder> => followAliases(order, asker(signal)),
    /** Whether any CA could prove the names. Rejects with a code of its own for each reason. */
    async here(order: AcmeOrder, signal: AbortSignal): Promise<void> {
      const ask = asker(signal)
      const domains = [...new Set(order.names.map(withoutWildcard))]
      if (order.challenge === 'dns-01') {
        if (!on.delegation || !order.delegated) return
        for (const domain of domains) {
          const alias = await aliasOf(ask, challengeOf(domain)).catch(() => undefined)
          const at = alias?.startsWith(challengeOf('')) ? alias.slice(challengeOf('').length) : domain
          refuse(await checkDelegation(ask, at))
        }
        return
      }
      const config = on.here ? await node?.publicConfig(signal) : undefined
      for (const domain of domains) {
        if (config) refuse(await checkPointsHere(ask, domain, config))
        if (on.reach && order.challenge === 'http-01') refuse(await reach(ask, order, domain, httpPort, signal))
      }
    },
    /** Whether this CA may issue for the names. */
    async caa(
      order: AcmeOrder,
      identitiesOf: () => Promise<readonly string[]>,
      accountOf: () => Promise<string>,
      signal: AbortSignal,
    ): Promise<void> {
      if (!on.caa) return
      const identities = await identitiesOf()
      const ask = asker(signal)
      for (const name of order.names) refuse(await checkCaa(ask, { name, identities, challenge: order.challenge, accountOf }))
    },
  }
}

/** Puts a token of our own where the CA would find its own, and fetches it by every address of the name. */
const reach = async (
  ask: DnsLook,
  order: AcmeOrder,
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<Problem | undefined> => {
  const token = `preflight-${randomBytes(16).toString('base64url')}`
  const proof = { domain: host, token, keyAuthorization: `${token}.preflight` }
  const [a, aaaa] = await Promise.all([ask.a(host), ask.aaaa(host)])
  try {
    await order.present(proof, signal)
    const addresses = [...a.records, ...(await withoutSynthesized(ask, a.records, aaaa.records))].slice(0, 8)
    const wrong = await Promise.all(
      addresses.map((address) => challengeAnswer({ host, address, port, token, expected: proof.keyAuthorization, signal })),
    )
    signal.throwIfAborted()
    const message = wrong.find((each) => each !== undefined)
    const fix = `let port ${port} of every address of ${host} through to this gateway; if it is closed from here only: preflight: { reach: false } in acme()`
    return message === undefined ? undefined : { code: 'CHALLENGE_UNREACHABLE', message, fix }
  } finally {
    await order.cleanup(proof)
  }
}

const refuse = (problem: Problem | undefined): void => {
  if (problem) throw new GatewayError(isErrorCode(problem.code) ? problem.code : 'INTERNAL', problem.message, problem.fix)
}
const withoutWildcard = (name: string): string => name.replace(/^\*\./, '')
