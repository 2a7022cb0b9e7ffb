import type { CaaRecord } from 'node:dns'
import { aliasOf } from './alias.ts'
import { type DnsLook, failureText, isAbsent } from './look.ts'
import type { DnsProblem } from './problem.ts'

export interface CaaWanted {
  /** A DNS name of the certificate, `*.` and all. */
  readonly name: string
  /** The names by which the CA is called in CAA records; any of them may stand there. */
  readonly identities: readonly string[]
  /** RFC 8657 section 4: a record may allow some challenges only. */
  readonly challenge: string
  /** RFC 8657 section 3: a record may allow one account only. URL of ours, asked for where one does; `undefined` where there is none yet. */
  accountOf?(): Promise<string | undefined>
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
    const limited = found.records.some((record) => /accounturi/i.test(JSON.stringify(record)))
    const account = limited ? await wanted.accountOf?.() : undefined
    if (allows(found.records, wildcard, wanted, account)) return undefined
    const otherAccount = allows(found.records, wildcard, wanted, anyAccount)
    // Beside a CNAME there is no other record: those that were found are those of its target.
    const place = (await aliasOf(ask, at, { wildcards: true }).catch(() => undefined)) ?? at
    const alias = place === at ? '' : `, an alias (CNAME) of ${place},`
    const by = otherAccount ? `with the account ${account ?? 'that is not made yet'}` : `by ${wanted.challenge}`
    const parameter = otherAccount && account !== undefined ? `; accounturi=${account}` : ''
    return {
      code: 'CAA_FORBIDS',
      message: `the CAA records of ${at}${alias} do not allow ${identity} to issue for ${wanted.name} ${by}`,
      fix: `add to the zone of ${place}: ${place}. CAA 0 ${wildcard ? 'issuewild' : 'issue'} "${identity}${parameter}"`,
    }
  }
  return undefined
}

const anyAccount = Symbol('any account')
const allows = (
  records: readonly CaaRecord[],
  wildcard: boolean,
  wanted: CaaWanted,
  account: string | undefined | typeof anyAccount,
): boolean => {
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
  return values.length === 0 || values.some((value) => names(value, wanted, account))
}
const known = new Set(['issue', 'issuewild', 'iodef', 'issuemail', 'contactemail', 'contactphone', 'issuevmc'])

const names = (value: string, { identities, challenge }: CaaWanted, account: string | undefined | typeof anyAccount): boolean => {
  const [issuer = '', ...rest] = value.split(';').map((part) => part.trim())
  if (!identities.some((identity) => identity.toLowerCase() === issuer.toLowerCase())) return false
  const all = (key: string) =>
    rest.flatMap((part) => {
      const at = part.indexOf('=')
      return part.slice(0, Math.max(at, 0)).trim().toLowerCase() === key ? [part.slice(at + 1).trim()] : []
    })
  const [methods, uris] = [all('validationmethods'), all('accounturi')]
  // Two of a kind allow nothing (RFC 8657 sections 3 and 4).
  if (methods.length > 1 || uris.length > 1) return false
  const [method] = methods
  const allowed = method?.split(',').map((each) => each.trim().toLowerCase())
  if (allowed && !allowed.includes(challenge)) return false
  return account === anyAccount || uris.every((uri) => uri === account)
}
