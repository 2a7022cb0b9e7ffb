import type { CaaRecord } from 'node:dns'
import { type DnsLook, failureText, isAbsent } from './look.ts'
import type { DnsProblem } from './problem.ts'

export interface CaaWanted {
  /** A DNS name of the certificate, `*.` and all. */
  readonly name: string
  /** The names by which the CA is called in CAA records; any of them may stand there. */
  readonly identities: readonly string[]
  /** RFC 8657 section 4: a record may allow some challenges only. */
  readonly challenge: string
}

/** Whether the CAA records of the name, or of the nearest domain above that has any, allow this CA (RFC 8659 section 3). */
export const checkCaa = async (ask: DnsLook, wanted: CaaWanted): Promise<DnsProblem | undefined> => {
  const [identity] = wanted.identities
  if (identity === undefined) return undefined
  const wildcard = wanted.name.startsWith('*.')
  for (let at = wildcard ? wanted.name.slice(2) : wanted.name; at !== ''; at = at.slice(at.indexOf('.') + 1 || at.length)) {
    const found = await ask.caa(at)
    if (found.failure !== undefined && !isAbsent(found))
      return {
        code: 'DNS_FAILED',
        message: `the CAA records of ${at} cannot be looked up, so no CA issues for ${wanted.name}: ${failureText(at, found.failure)}`,
        fix: `have the name servers of ${at} answer CAA questions, with no record if there is none`,
      }
    if (found.records.length === 0) continue
    if (allows(found.records, wildcard, wanted)) return undefined
    return {
      code: 'CAA_FORBIDS',
      message: `the CAA records of ${at} do not allow ${identity} to issue for ${wanted.name} by ${wanted.challenge}`,
      fix: `add to the zone of ${at}: ${at}. CAA 0 ${wildcard ? 'issuewild' : 'issue'} "${identity}"`,
    }
  }
  return undefined
}

const allows = (records: readonly CaaRecord[], wildcard: boolean, wanted: CaaWanted): boolean => {
  const of = (tag: string) =>
    records.flatMap((record) =>
      Object.entries(record).flatMap(([key, value]) => (key.toLowerCase() === tag && typeof value === 'string' ? [value] : [])),
    )
  const unknown = records.some(
    (record) => record.critical >= 128 && Object.keys(record).some((key) => key !== 'critical' && !known.has(key.toLowerCase())),
  )
  if (unknown) return false
  const wild = of('issuewild')
  const values = wildcard && wild.length > 0 ? wild : of('issue')
  // Without a record of the kind that counts anybody may issue.
  return values.length === 0 || values.some((value) => names(value, wanted))
}
const known = new Set(['issue', 'issuewild', 'iodef', 'issuemail', 'contactemail', 'contactphone', 'issuevmc'])

const names = (value: string, { identities, challenge }: CaaWanted): boolean => {
  const [issuer = '', ...parameters] = value.split(';').map((part) => part.trim())
  if (!identities.some((identity) => identity.toLowerCase() === issuer.toLowerCase())) return false
  const methods = parameters.find((parameter) => parameter.toLowerCase().startsWith('validationmethods='))
  return methods === undefined || methods.slice('validationmethods='.length).toLowerCase().split(',').includes(challenge)
}
