import { createHash } from 'node:crypto'

/** The value of the TXT record that proves a domain (RFC 8555 section 8.4). */
export const dns01Value = (keyAuthorization: string): string => createHash('sha256').update(keyAuthorization).digest('base64url')
