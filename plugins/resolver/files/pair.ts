import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { reason } from '../../../core/index.ts'
import { clientFault, dnsNames, issued, parseChain } from '../../../lib/certificate-chain.ts'
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
  const names = canonicalNames(leaf)
  if (names.length === 0) throw new Error(`${pair.certificate} names no host among its subject alternative names`)
  const ordered = inOrder(leaf, certificates.slice(1))
  const chain = `${ordered.map((each) => each.toString().trim()).join('\n')}\n`
  const pem = pkcs8(key)
  attempt(`${pair.certificate} is refused by TLS`, () => createSecureContext({ cert: chain, key: pem }))
  const weak = clientFault(attempt(`${pair.certificate} cannot be served`, () => parseChain(chain)))
  const warning =
    disorder(certificates, ordered, pair.certificate) ??
    incomplete(ordered, pair.certificate) ??
    (weak === undefined ? undefined : `clients refuse the certificate in ${pair.certificate}: ${weak}`)
  const dates = { notBefore: leaf.validFromDate, notAfter: leaf.validToDate }
  return { names, chain, key: pem, ...dates, ...(warning === undefined ? {} : { warning }) }
}

/** The leaf, then whoever signed the one before, however the file has them. Others are left out: clients would refuse the chain. */
const inOrder = (leaf: X509Certificate, others: readonly X509Certificate[]): readonly X509Certificate[] => {
  const chain = [leaf]
  const left = [...others]
  for (let last = leaf; ; ) {
    const at = left.findIndex((each) => issued(each, last) && each.fingerprint256 !== last.fingerprint256)
    const [next] = at < 0 ? [] : left.splice(at, 1)
    if (!next) return chain
    chain.push(next)
    last = next
  }
}

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

const canonicalNames = (leaf: X509Certificate): readonly string[] =>
  Object.freeze([...new Set(dnsNames(leaf).flatMap((name) => canonicalPattern(name) ?? []))])

const canonicalPattern = (name: string): string | undefined => {
  if (!name.startsWith('*.')) return canonicalHost(name)
  const zone = canonicalHost(name.slice(2))
  return zone && `*.${zone}`
}

const disorder = (given: readonly X509Certificate[], ordered: readonly X509Certificate[], file: string): string | undefined => {
  const at = given.findIndex((each, index) => each.fingerprint256 !== ordered[index]?.fingerprint256)
  if (at < 0) return undefined
  const what = `certificate ${at + 1} in ${file} did not issue the one before it`
  return ordered.length === given.length
    ? `${what}: it is served in the right order`
    : `${what}: ${given.length - ordered.length} of ${given.length} certificates are left out`
}

/** A leaf that says where its issuer's certificate is to be had has one that clients do not know by themselves. */
const incomplete = (chain: readonly X509Certificate[], file: string): string | undefined => {
  const last = chain.at(-1)
  if (!last || chain.length > 1 || issued(last, last)) return undefined
  return /CA Issuers/.test(last.infoAccess ?? '')
    ? `${file} lacks the certificate of its issuer (${last.issuer.replaceAll('\n', ', ')}): most clients refuse it without`
    : undefined
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
