import { createHash } from 'node:crypto'
import { algorithm, backdated, day, keyPem, loadX509, newKeys, newSerial } from '../x509.ts'

/** The certificate that answers a tls-alpn-01 challenge (RFC 8737 section 3): self-signed, with the digest of the key authorization in it. */
export const alpnCertificate = async (
  domain: string,
  keyAuthorization: string,
): Promise<{ readonly chain: string; readonly key: string }> => {
  const x509 = await loadX509()
  const keys = await newKeys()
  const notBefore = backdated()
  const digest = createHash('sha256').update(keyAuthorization).digest()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: [{ O: ['zos-gateway challenge'] }],
    keys,
    notBefore,
    notAfter: new Date(notBefore.getTime() + 2 * day),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: domain }]),
      // The digest as a DER octet string within the extension's own.
      new x509.Extension(acmeIdentifier, true, Buffer.concat([Buffer.from([4, digest.length]), digest])),
    ],
  })
  return { chain: `${certificate.toString('pem')}\n`, key: await keyPem(keys.privateKey) }
}

const acmeIdentifier = '1.3.6.1.5.5.7.1.31'
