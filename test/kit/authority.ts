import { webcrypto, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'

export interface Pair {
  /** PEM, leaf first. */
  readonly chain: string
  /** PKCS #8 PEM. */
  readonly key: string
  readonly notBefore: Date
  readonly notAfter: Date
  /** SHA-256 of the leaf, as `tls.TLSSocket.getPeerCertificate().fingerprint256` writes it. */
  readonly fingerprint: string
}
export interface Authority {
  /** The root certificate as PEM: what a client trusts. */
  readonly root: string
  /** A certificate for these DNS names and IP addresses, with a key of its own; `days` to live, 30 by default, or exactly `dates`. */
  issue(names: readonly string[], days?: number, dates?: Pick<Pair, 'notBefore' | 'notAfter'>): Promise<Pair>
}

/** A certificate authority of the tests' own, in memory. */
export const createAuthority = async (name = 'test kit root'): Promise<Authority> => {
  // The package takes its parts from a container that needs this polyfill.
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  x509.cryptoProvider.set(webcrypto)
  const keys = await newKeys()
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    ...life(365),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return {
    root: root.toString('pem'),
    issue: async (names, days = 30, dates = life(days)) => {
      const own = await newKeys()
      const leaf = await x509.X509CertificateGenerator.create({
        subject: `CN=${names[0] ?? 'nobody'}`,
        issuer: root.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        ...dates,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }))),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          await x509.AuthorityKeyIdentifierExtension.create(root.publicKey),
        ],
      })
      const chain = `${leaf.toString('pem')}\n`
      return { chain, key: await keyPem(own.privateKey), ...dates, fingerprint: new X509Certificate(chain).fingerprint256 }
    },
  }
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])

const life = (days: number) => {
  const now = Math.floor(Date.now() / 1_000) * 1_000
  return { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + days * 86_400_000) }
}

const keyPem = async (key: webcrypto.CryptoKey) => {
  const text = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${text.match(/.{1,64}/g)!.join('\n')}\n-----END PRIVATE KEY-----\n`
}
