import { chainFault, clientFault, contextFault, parseChain } from '../lib/certificate-chain.ts'
import { GatewayError } from './errors.ts'
import type { Certificate } from './operation.ts'

/** A certificate that passed, with the dates of its leaf, and what is wrong with it although it is the best there is. */
export interface Checked {
  readonly certificate: Certificate
  readonly warning?: GatewayError
}

type Dates = Pick<Certificate, 'notBefore' | 'notAfter'>

/**
 * What every certificate passes before it is served, whoever got it: key, names, chain, size and a TLS context. It never replaces
 * `served` where that one is better. Throws CERT_INVALID.
 */
export const checkCertificate = (given: Certificate, served?: Certificate): Checked => {
  const fault = certificateFault(given) ?? contextFault(given.chain, given.key)
  if (fault !== undefined) throw invalid(given, fault)
  const chain = parseChain(given.chain)
  const { notBefore, notAfter } = chain
  const dated = dateFault({ notBefore, notAfter })
  const weak = clientFault(chain)
  const wrong = dated ?? (weak === undefined ? undefined : `clients refuse it: ${weak}`)
  if (wrong !== undefined && served && isBetter(served, { notBefore, notAfter }, dated)) throw invalid(given, wrong)
  return {
    certificate: Object.freeze({ ...given, notBefore, notAfter }),
    ...(wrong !== undefined && dated !== due && dated !== brief && { warning: invalid(given, wrong) }),
  }
}

/** Whether what is served is worth more than one with this fault of its dates, or with none but one that clients see. */
const isBetter = (served: Certificate, { notBefore, notAfter }: Dates, dated: string | undefined): boolean => {
  if (served.notAfter.getTime() <= Date.now()) return false
  if (dated === due || dated === brief) return served.notAfter > notAfter
  // A clock that is behind: by that of the new one the served one may soon be over.
  if (notBefore.getTime() > Date.now() && notBefore < notAfter)
    return (served.notAfter.getTime() - notBefore.getTime()) * 6 > served.notAfter.getTime() - served.notBefore.getTime()
  return dated !== undefined || clientFault(parseChain(served.chain)) === undefined
}

/** What makes it useless whatever the date is; `undefined` where nothing does. */
export const certificateFault = ({ chain, key, names }: Certificate): string | undefined => chainFault(chain, key, names)

const brief = 'it lives less than an hour'
const due = 'less than a third of its life is left'
const dateFault = ({ notBefore, notAfter }: Dates): string | undefined => {
  const now = Date.now()
  if (notAfter.getTime() <= now) return `it ended on ${notAfter.toISOString()}`
  // Clocks differ: one that begins within five minutes is taken.
  if (notBefore.getTime() > now + 300_000) return `it is not valid before ${notBefore.toISOString()}`
  if (notAfter.getTime() - notBefore.getTime() < 3_600_000) return brief
  return (notAfter.getTime() - now) * 3 < notAfter.getTime() - notBefore.getTime() ? due : undefined
}

const invalid = ({ resolver, names }: Certificate, why: string): GatewayError =>
  new GatewayError(
    'CERT_INVALID',
    `'${resolver}' gave a certificate for ${names.join(', ')} that is of no use: ${why}`,
    'correct what issues it; another one is tried by itself, and what was served is served on',
  )
