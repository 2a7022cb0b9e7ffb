import { webcrypto } from 'node:crypto'

// Heavy (a tenth of a second): imported when the first certificate is made. Its container needs the Reflect metadata API.
const load = async () => {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}
let loaded: ReturnType<typeof load> | undefined

export const loadX509 = (): ReturnType<typeof load> => {
  loaded ??= load()
  return loaded
}

export const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** Made off the main thread. */
export const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])

/** PKCS #8 (RFC 5958) as PEM. */
export const keyPem = async (key: webcrypto.CryptoKey): Promise<string> => {
  const base64 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64')
  return `-----BEGIN PRIVATE KEY-----\n${base64.replace(/.{64}(?=.)/g, '$&\n')}\n-----END PRIVATE KEY-----\n`
}

/** Positive and of 16 bytes (RFC 5280 section 4.1.2.2). */
export const newSerial = (): string => {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16))
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return Buffer.from(bytes).toString('hex')
}

export const day = 86_400_000
/** A clock a little behind ours must not find the certificate not yet valid. Certificates count in whole seconds. */
export const backdated = (): Date => new Date(Math.floor(Date.now() / 1_000) * 1_000 - 3_600_000)
