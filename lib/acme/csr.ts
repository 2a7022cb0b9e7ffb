import { algorithm, keyPem, loadX509, newKeys } from '../x509.ts'

/** A new key (ECDSA P-256, PKCS #8 PEM) and a request for these DNS names (RFC 2986) in base64url of its DER, as ACME takes it. */
export const certificateRequest = async (names: readonly string[]): Promise<{ readonly key: string; readonly csr: string }> => {
  const x509 = await loadX509()
  const keys = await newKeys()
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value })))],
  })
  return { key: await keyPem(keys.privateKey), csr: Buffer.from(request.rawData).toString('base64url') }
}
