import { createHash, createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** An account's key (ECDSA P-256), and what is made of it. */
export interface AccountKey {
  /** PKCS #8 PEM, to be kept. */
  readonly pem: string
  readonly jwk: Readonly<Record<string, string>>
  /** RFC 7638. */
  readonly thumbprint: string
  /** A flattened JWS (RFC 7515 section 7.2.2) by ES256; an empty payload is that of POST-as-GET. */
  sign(header: object, payload: string): string
}

/** The key as kept, or a new one. Throws where the text is no P-256 key. */
export const accountKey = (pem?: string): AccountKey => {
  const secret = pem === undefined ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey : createPrivateKey(pem)
  const { kty = '', crv = '', x = '', y = '' } = createPublicKey(secret).export({ format: 'jwk' })
  if (crv !== 'P-256') throw new Error('the account key is not of the curve P-256')
  const jwk = { crv, kty, x, y }
  return {
    pem: pem ?? pkcs8(secret),
    jwk,
    thumbprint: createHash('sha256').update(JSON.stringify(jwk)).digest('base64url'),
    sign: (header, payload) =>
      flattened({ alg: 'ES256', ...header }, payload, (input) =>
        sign('sha256', Buffer.from(input), { key: secret, dsaEncoding: 'ieee-p1363' }),
      ),
  }
}

/** External account binding (RFC 8555 section 7.3.4): the account's public key, signed with the key that the CA gave out. */
export const externalBinding = (eab: { id: string; key: string }, url: string, jwk: AccountKey['jwk']): object => {
  const key = Buffer.from(eab.key, 'base64url')
  const text = flattened({ alg: 'HS256', kid: eab.id, url }, JSON.stringify(jwk), (input) =>
    createHmac('sha256', key).update(input).digest(),
  )
  const parsed: object = JSON.parse(text)
  return parsed
}

const flattened = (header: object, payload: string, signer: (input: string) => Buffer): string => {
  const parts = { protected: base64(JSON.stringify(header)), payload: base64(payload) }
  return JSON.stringify({ ...parts, signature: signer(`${parts.protected}.${parts.payload}`).toString('base64url') })
}
const base64 = (text: string): string => Buffer.from(text).toString('base64url')
const pkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()
