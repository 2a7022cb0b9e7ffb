import { createHash } from 'node:crypto'

/** The name of the TXT record that proves a domain (RFC 8555 section 8.4); `domain` without `*.`. */
export const dns01Name = (domain: string): string => `_acme-challenge.${domain}`

/** The value of that record. */
export const dns01Value = (keyAuthorization: string): string => createHash('sha256').update(keyAuthorization).digest('base64url')
