import { X509Certificate } from 'node:crypto'

/** Whether this is text that holds a certificate in PEM, the first of which can be read. */
export const holdsCertificate = (pem: unknown): boolean => {
  if (typeof pem !== 'string') return false
  try {
    new X509Certificate(pem)
    return true
  } catch {
    return false
  }
}
