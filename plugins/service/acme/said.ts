import { GatewayError } from '../../../core/index.ts'
import { ProofFailed, UselessCertificate } from '../../../lib/acme/order.ts'
import { AccountDeactivated, AcmeProblem, CaUnreachable } from '../../../lib/acme/problem.ts'

/** What a CA said or did not say, as an error with a code and what to do. What is no word of a CA passes as it is. */
export const saidBy = (directory: string, error: unknown): unknown => {
  const ca = new URL(directory).host
  if (error instanceof CaUnreachable)
    return new GatewayError('CA_UNREACHABLE', `${ca}: ${error.message}`, unreachableFix(error.message), {
      cause: error,
      retryAt: error.retryAt,
    })
  if (error instanceof AccountDeactivated)
    return new GatewayError(
      'ACCOUNT_DEACTIVATED',
      `${ca} no longer serves the account of this gateway: ${error.message}`,
      `make another one by \`gateway acme-account --new ${directory}\`; what is served is served on`,
      { cause: error },
    )
  if (error instanceof UselessCertificate)
    return new GatewayError(
      'CERT_INVALID',
      `${ca} issued a certificate that is of no use: ${error.message}`,
      'report it to the CA, or add another CA to acme(); another one is tried by itself, and what was served is served on',
      { cause: error },
    )
  if (error instanceof ProofFailed) {
    const fix = fixOf(error.kind, error.domain)
    return new GatewayError('CHALLENGE_FAILED', `${ca} could not prove ${error.domain}: ${error.message}`, fix, { cause: error })
  }
  if (!(error instanceof AcmeProblem)) return error
  const { code, fix } = meaning(error)
  return new GatewayError(code, `${ca} refused: ${error.message}`, fix, { cause: error, retryAt: error.retryAt })
}

/** To a clock that is far off every certificate looks expired, or not valid yet. */
const unreachableFix = (why: string): string =>
  /expired|not yet valid/i.test(why) ? `look at the clock of this machine; ${look}` : look
const look = 'look at the URL of the CA in acme() and at the way from this machine to it; what is served is served on'

const meaning = ({ kind, status, message }: AcmeProblem): { code: GatewayError['code']; fix: string } => {
  if (kind === 'externalAccountRequired')
    return { code: 'EAB_INVALID', fix: 'give eab: { id, keyFile } of the account that you have with the CA to acme()' }
  if (kind === 'rateLimited' || status === 429) return { code: 'CA_LIMIT', fix: 'wait: it is tried again when the CA allows it' }
  if (kind === 'rejectedIdentifier' || /block/i.test(message))
    return { code: 'NAME_BLOCKED', fix: 'use another name, or add a CA that issues for it to acme()' }
  if (kind === 'caa')
    return { code: 'CAA_FORBIDS', fix: 'allow the CA in the CAA records of the name, or add another CA to acme()' }
  if (kind === 'unsupportedChallenge') return { code: 'CA_REFUSED', fix: 'use a resolver with a challenge that this CA offers' }
  return { code: 'CA_REFUSED', fix: 'mend what the CA says, or add another CA to acme()' }
}

const fixOf = (kind: string, domain: string): string => {
  if (kind === 'dns') return `look at the name servers of ${domain}`
  if (kind === 'caa') return `allow the CA in the CAA records of ${domain}`
  if (kind === 'connection')
    return `let the CA through to this node for ${domain}: port 80 for http-01, 443 for tls-alpn-01, 53 for dns-01`
  return `look what is answered for ${domain}, by gateway doctor ${domain}`
}
