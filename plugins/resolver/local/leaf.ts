import { X509Certificate } from 'node:crypto'
import type { Root } from './root.ts'
import { algorithm, backdated, day, keyPem, loadX509, newKeys, newSerial } from './x509.ts'

/** A certificate for these DNS names with a key of its own, after RFC 5280 section 4.2 and what browsers ask. It never outlives the root. */
export const issueLeaf = async (root: Root, names: readonly string[], days: number) => {
  const x509 = await loadX509()
  const issuer = new x509.X509Certificate(root.pem)
  const keys = await newKeys()
  const notBefore = backdated()
  const notAfter = new Date(Math.min(notBefore.getTime() + days * day, root.notAfter.getTime()))
  const [first = ''] = names
  // A common name holds 64 characters at most (RFC 5280 appendix A.1). Clients read the alternative names only (RFC 9525).
  const subject = first.length <= 64 ? new x509.Name([{ CN: [first] }]) : new x509.Name([{ O: ['zos-gateway'] }])
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: subject.toString(),
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: root.key,
    notBefore,
    notAfter,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const chain = `${leaf.toString('pem')}\n`
  const { validFromDate, validToDate } = new X509Certificate(chain)
  return { chain, key: await keyPem(keys.privateKey), notBefore: validFromDate, notAfter: validToDate }
}
