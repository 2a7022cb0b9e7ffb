import { type AcmeOrder, GatewayError, reason } from '../../../core/index.ts'
import { aliasOf } from '../../../lib/dns/alias.ts'
import { challengeOf } from '../../../lib/dns/challenge.ts'
import type { DnsLook } from '../../../lib/dns/look.ts'

/** The order with each dns-01 proof where the CA looks for it: behind the CNAMEs of `_acme-challenge`, asked anew for each order. */
export const followAliases = async (order: AcmeOrder, look: DnsLook): Promise<AcmeOrder> => {
  if (order.challenge !== 'dns-01' || order.followsAliases) return order
  const domains = [...new Set(order.names.map((name) => name.replace(/^\*\./, '')))]
  const aliases = new Map<string, string>()
  for (const domain of domains) {
    const alias = await aliasOf(look, challengeOf(domain)).catch((error: unknown) => {
      throw new GatewayError('DNS_FAILED', reason(error), `correct the CNAME records of ${challengeOf(domain)}`)
    })
    // A name server of the gateway's own has challenge zones alone; the check of the delegation says what is wrong with others.
    if (alias !== undefined && (!order.delegated || alias.startsWith(challengeOf('')))) aliases.set(domain, alias)
  }
  if (aliases.size === 0) return order
  const located = <P extends { readonly domain: string }>(proof: P) => {
    const alias = aliases.get(proof.domain)
    return { ...proof, ...(alias !== undefined && { alias }) }
  }
  return {
    ...order,
    present: (proof, signal) => order.present(located(proof), signal),
    cleanup: (proof) => order.cleanup(located(proof)),
  }
}
