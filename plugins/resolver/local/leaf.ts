import { X509Certificate } from 'node:crypto'
import type { Certificate } from '../../../core/index.ts'
import { algorithm, backdated, day, keyPem, loadX509, newKeys, newSerial } from '../../../lib/x509.ts'
import type { Root } from './root.ts'

type Leaf = Pick<Certificate, 'chain' | 'key' | 'notBefore' | 'notAfter'>
/** Gives a certificate for these DNS names with a key of its own, after RFC 5280 section 4.2 and what browsers ask. It never outlives the root. */
export type Issue = (names: readonly string[], days: number) => Promise<Leaf>

export const createIssue = async (root: Root): Promise<Issue> => {
  const x509 = await loadX509()
  const issuer = new x509.X509Certificate(root.pem)
  const ofIssuer = await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey)
  const ofAll = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ofIssuer,
  ]
  return async (names, days) => {
    const keys = await newKeys()
    const notBefore = backdated()
    const notAfter = new Date(Math.min(notBefore.getTime() + days * day, root.notAfter.getTime()))
    const [first = ''] = names
    const leaf = await x509.X509CertificateGenerator.create({
      serialNumber: newSerial(),
      // A common name holds 64 characters at most (RFC 5280 appendix A.1). Clients read the alternative names only (RFC 9525).
      subject: first.length <= 64 ? [{ CN: [first] }] : [{ O: ['zos-gateway'] }],
      issuer: issuer.subjectName,
      publicKey: keys.publicKey,
      signingKey: root.key,
      notBefore,
      notAfter,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
        ...ofAll,
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    })
    const chain = `${leaf.toString('pem')}\n`
    const { validFromDate, validToDate } = new X509Certificate(chain)
    return { chain, key: await keyPem(keys.privateKey), notBefore: validFromDate, notAfter: validToDate }
  }
}
