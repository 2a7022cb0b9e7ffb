import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { reason } from '../../../core/index.ts'
import { canonicalHost } from '../../../lib/host.ts'

/** Where a certificate is: PEM files. `certificate` holds the chain, leaf first; `key` an unencrypted private key. */
export interface FilePair {
  readonly certificate: string
  readonly key: string
}
/** A pair as read. `names` are its DNS names, canonical; `warning` is what an operator should mend though it serves. */
export interface LoadedPair {
  readonly names: readonly string[]
  readonly chain: string
  readonly key: string
  readonly notBefore: Date
  readonly notAfter: Date
  readonly warning?: string
}

/** Reads a pair and checks that a TLS server can use it. Throws an Error whose sentence names the file. */
export const loadPair = async (pair: FilePair): Promise<LoadedPair> => {
  const [text, keyText] = await Promise.all([read(pair.certificate), read(pair.key)])
  const blocks = text.match(block) ?? []
  const certificates = blocks.map((pem) =>
    attempt(`${pair.certificate} holds a certificate that cannot be read`, () => new X509Certificate(pem)),
  )
  const [leaf] = certificates
  if (!leaf) throw new Error(`${pair.certificate} holds no PEM certificate`)
  const key = attempt(`${pair.key} holds no private key that can be read without a passphrase`, () => createPrivateKey(keyText))
  if (!leaf.checkPrivateKey(key)) throw new Error(`${pair.key} is not the key of the first certificate in ${pair.certificate}`)
  const names = dnsNames(leaf)
  if (names.length === 0) throw new Error(`${pair.certificate} names no host among its subject alternative names`)
  const chain = `${blocks.join('\n')}\n`
  const pem = pkcs8(key)
  attempt(`${pair.certificate} is refused by TLS`, () => createSecureContext({ cert: chain, key: pem }))
  const warning = disorder(certificates, pair.certificate)
  const dates = { notBefore: leaf.validFromDate, notAfter: leaf.validToDate }
  return { names, chain, key: pem, ...dates, ...(warning === undefined ? {} : { warning }) }
}

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** DNS names of the subject alternative names; RFC 9525 section 6.3 ignores the common name, and so do browsers. */
const dnsNames = (leaf: X509Certificate): readonly string[] => {
  const entries = (leaf.subjectAltName ?? '').split(', ').filter((entry) => entry.startsWith('DNS:'))
  const names = entries.flatMap((entry) => canonicalPattern(entry.slice('DNS:'.length)) ?? [])
  return Object.freeze([...new Set(names)])
}

const canonicalPattern = (name: string): string | undefined => {
  if (!name.startsWith('*.')) return canonicalHost(name)
  const zone = canonicalHost(name.slice(2))
  return zone && `*.${zone}`
}

const disorder = (chain: readonly X509Certificate[], file: string): string | undefined => {
  const at = chain.findIndex((each, index) => index > 0 && !chain[index - 1]?.checkIssued(each))
  return at < 0
    ? undefined
    : `certificate ${at + 1} in ${file} did not issue the one before it: some clients will refuse the chain`
}

const read = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new Error(`cannot read ${path}: ${reason(error)}`, { cause: error })
  }
}
const attempt = <T>(otherwise: string, work: () => T): T => {
  try {
    return work()
  } catch (error) {
    throw new Error(`${otherwise}: ${reason(error)}`, { cause: error })
  }
}
const pkcs8 = (key: KeyObject): string => String(key.export({ format: 'pem', type: 'pkcs8' }))
