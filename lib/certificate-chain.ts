import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { covers } from './host.ts'

/** A chain of 100 long names and three intermediates has less than half of this. */
const maxChainBytes = 65_536
const maxChainCertificates = 10
const maxKeyBytes = 16_384

/** A PEM chain as parsed, leaf first. */
export interface Chain {
  readonly certificates: readonly [X509Certificate, ...X509Certificate[]]
  /** DNS names of the leaf, lower case. */
  readonly names: readonly string[]
  readonly notBefore: Date
  readonly notAfter: Date
}

/** Parses a PEM chain that holds certificates and nothing else (RFC 8555 section 9.1). Throws an Error that says what is wrong. */
export const parseChain = (pem: string): Chain => {
  if (pem.length > maxChainBytes) throw new Error(`its chain has ${pem.length} bytes, more than ${maxChainBytes}`)
  const blocks = pem.split(/(?<=-----END CERTIFICATE-----)\s+/).filter((text) => text.trim() !== '')
  if (blocks.length > maxChainCertificates)
    throw new Error(`its chain has ${blocks.length} certificates, more than ${maxChainCertificates}`)
  const [leaf, ...issuers] = blocks.map((text, at) => certificateOf(text, at))
  if (!leaf) throw new Error('its chain holds no certificate')
  return {
    certificates: [leaf, ...issuers],
    names: dnsNames(leaf),
    notBefore: leaf.validFromDate,
    notAfter: leaf.validToDate,
  }
}

const certificateOf = (text: string, at: number): X509Certificate => {
  if (!/^\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/.test(text))
    throw new Error(`part ${at + 1} of its chain is no PEM certificate`)
  try {
    return new X509Certificate(text)
  } catch (error) {
    throw new Error(`certificate ${at + 1} of its chain cannot be parsed`, { cause: error })
  }
}

/** Why these names cannot be served by the chain and key, whatever the date; `undefined` where they can. */
export const chainFault = (pem: string, key: string, names: readonly string[]): string | undefined => {
  try {
    const { certificates, names: own, notBefore, notAfter } = parseChain(pem)
    const missing = names.find((name) => !own.some((pattern) => covers(pattern, name)))
    if (missing !== undefined) return `it is for ${listed(own)}, not for ${missing}`
    if (!certificates[0].checkPrivateKey(privateKey(key))) return 'it is for another key'
    if (!(notBefore < notAfter)) return 'it ends before it begins'
    const stranger = certificates.findIndex((each, at) => at > 0 && !issued(each, certificates[at - 1]))
    if (stranger > 0) return `certificate ${stranger + 1} of its chain did not sign the one before it`
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Why OpenSSL refuses to serve the pair, such as a key that is too small. Costs half a millisecond. */
export const contextFault = (pem: string, key: string): string | undefined => {
  try {
    createSecureContext({ cert: pem, key })
    return undefined
  } catch (error) {
    return `TLS refuses it: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** Why clients refuse a chain that a server can serve: keys and signatures that are too weak, or uses that it is not for. */
export const clientFault = ({ certificates }: Chain): string | undefined => {
  const [leaf] = certificates
  const { asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength = 0, namedCurve = '' } = {} } = leaf.publicKey
  if (type === 'rsa' && modulusLength < 2_048) return `its RSA key has ${modulusLength} bits, and clients want 2048`
  if (type === 'ec' && !curves.has(namedCurve)) return `its key is of the curve ${namedCurve}, which clients do not support`
  if (type !== 'rsa' && type !== 'ec') return `its key is of the type ${type}, which clients do not support`
  // Absent where the certificate is for all uses; else the list of RFC 5280 section 4.2.1.12.
  const uses: readonly string[] | undefined = leaf.keyUsage
  if (uses && !uses.some((use) => serverUses.has(use))) return 'its extended key usage does not allow TLS servers'
  if (leaf.raw.includes(mustStaple)) return 'it demands OCSP stapling (must-staple), which the gateway does not do'
  const weak = certificates.findIndex(
    (each) => each.issuer !== each.subject && weakSignatures.some((oid) => each.raw.includes(oid)),
  )
  if (weak >= 0) return `certificate ${weak + 1} of its chain is signed by SHA-1 or MD5`
  const over = certificates.findIndex((each, at) => at > 0 && each.validToDate.getTime() <= Date.now())
  return over > 0 ? `certificate ${over + 1} of its chain ended on ${certificates[over]?.validToDate.toISOString()}` : undefined
}

/** Whether `issuer` signed `subject`. */
export const issued = (issuer: X509Certificate, subject: X509Certificate | undefined): boolean =>
  subject?.checkIssued(issuer) === true && subject.verify(issuer.publicKey)

/** The DNS names of a leaf, lower case. RFC 9525 section 6.3 ignores the common name, and so do browsers. */
export const dnsNames = ({ subjectAltName = '' }: X509Certificate): readonly string[] => {
  // A name with a comma or quote in it is quoted, so that it cannot pass for two (CVE-2021-44532).
  const entries = subjectAltName.match(/[A-Za-z ]+:(?:"(?:[^"\\]|\\.)*"|[^,"]*)/g) ?? []
  const names = entries.map((entry) => entry.trim()).filter((entry) => entry.startsWith('DNS:') && !entry.startsWith('DNS:"'))
  return [...new Set(names.map((entry) => entry.slice('DNS:'.length).toLowerCase()))]
}

const privateKey = (pem: string): KeyObject => {
  if (pem.length > maxKeyBytes) throw new Error(`its key has ${pem.length} bytes, more than ${maxKeyBytes}`)
  try {
    return createPrivateKey(pem)
  } catch (error) {
    throw new Error('its private key cannot be parsed', { cause: error })
  }
}
const listed = (names: readonly string[]): string =>
  names.length === 0 ? 'no DNS name' : names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '')

const curves: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1'])
/** serverAuth, and anyExtendedKeyUsage. */
const serverUses: ReadonlySet<string> = new Set(['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'])
/** DER of object identifiers: TLS feature (RFC 7633), and the signature algorithms by SHA-1 and MD5. */
const mustStaple = Buffer.from('06082b06010505070118', 'hex')
const weakSignatures = ['06092a864886f70d010105', '06092a864886f70d010104', '06072a8648ce3d0401'].map((hex) =>
  Buffer.from(hex, 'hex'),
)
