import { webcrypto, X509Certificate } from 'node:crypto'

interface Wanted {
  readonly names?: readonly string[]
  readonly ca?: boolean
  readonly algorithm?: webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams
  readonly hash?: string
  /** Object identifiers of the extended key usage. */
  readonly uses?: readonly string[]
  readonly mustStaple?: boolean
  /** Where the issuer's certificate is to be had. */
  readonly issuerUrl?: string
  readonly dates?: { readonly notBefore: Date; readonly notAfter: Date }
}
export interface Made {
  readonly pem: string
  readonly key: string
  readonly parsed: X509Certificate
  /** Signs another one. */
  issue(name: string, wanted?: Wanted): Promise<Made>
}

const p256 = { name: 'ECDSA', namedCurve: 'P-256' }
const day = 86_400_000

/** A certificate of any kind, good or bad, signed by itself. */
export const makeCertificate = (name: string, wanted: Wanted = {}): Promise<Made> => make(name, wanted)

const make = async (
  name: string,
  { names = [], ca = false, algorithm = p256, hash = 'SHA-256', uses, mustStaple, issuerUrl, dates }: Wanted,
  issuer?: { readonly name: string; readonly keys: webcrypto.CryptoKeyPair },
): Promise<Made> => {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: `CN=${issuer?.name ?? name}`,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: { name: (issuer?.keys ?? keys).privateKey.algorithm.name, hash } as EcdsaParams,
    ...(dates ?? { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 90 * day) }),
    extensions: [
      new x509.BasicConstraintsExtension(ca, undefined, true),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value })))] : []),
      ...(uses ? [new x509.ExtendedKeyUsageExtension([...uses])] : []),
      ...(mustStaple ? [new x509.Extension('1.3.6.1.5.5.7.1.24', false, Buffer.from('3003020105', 'hex'))] : []),
      ...(issuerUrl ? [new x509.AuthorityInfoAccessExtension({ caIssuers: issuerUrl })] : []),
    ],
  })
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const pem = `${certificate.toString('pem')}\n`
  return {
    pem,
    key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`,
    parsed: new X509Certificate(pem),
    issue: (other, more = {}) => make(other, more, { name, keys }),
  }
}
type EcdsaParams = { readonly name: 'ECDSA'; readonly hash: string }
