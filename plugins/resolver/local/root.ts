import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GatewayError, reason } from '../../../core/index.ts'
import { syncFolder, writeFileAtomic } from '../../../lib/atomic-file.ts'
import { algorithm, backdated, day, keyPem, loadX509, newKeys, newSerial } from '../../../lib/x509.ts'

/** `pem` is the root certificate, `key` signs with it. */
export interface Root {
  readonly pem: string
  readonly key: webcrypto.CryptoKey
  readonly notAfter: Date
}

export const rootFile = (folder: string): string => join(folder, 'root.pem')
const years = 10

/** The root of a folder, made there where there is none. Refuses halves that do not belong together: a lost root is not replaced in silence. */
export const loadRoot = async (folder: string, log: (message: string, fields?: object) => void): Promise<Root> => {
  const keyFile = join(folder, 'root.key')
  const [keyText, pem] = await Promise.all([readText(keyFile), readText(rootFile(folder))])
  if (keyText === undefined && pem !== undefined) throw unusable(folder, 'root.key is missing')
  try {
    if (keyText === undefined) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await syncFolder(dirname(folder))
    }
    const keys = keyText === undefined ? await newKeys() : await importKeys(keyText, folder)
    // The key first: a crash in between leaves a key whose certificate is made anew, never a certificate that nobody can sign for.
    if (keyText === undefined) await writeFileAtomic(keyFile, await keyPem(keys.privateKey))
    if (pem !== undefined) return existing(pem, keyText ?? '', keys.privateKey, folder)
    const made = await selfSign(keys)
    await writeFileAtomic(rootFile(folder), made, 0o644)
    log('made a certificate authority: have clients trust its root', { root: rootFile(folder) })
    return { pem: made, key: keys.privateKey, notAfter: new X509Certificate(made).validToDate }
  } catch (error) {
    if (error instanceof GatewayError) throw error
    throw new GatewayError('STORAGE', `cannot keep the local CA in ${folder}: ${reason(error)}`, 'make the folder writable', {
      cause: error,
    })
  }
}

const existing = (pem: string, keyText: string, key: webcrypto.CryptoKey, folder: string): Root => {
  const certificate = read(() => new X509Certificate(pem), folder, 'root.pem is no certificate')
  if (!certificate.ca || !certificate.checkPrivateKey(createPrivateKey(keyText)))
    throw unusable(folder, 'root.pem and root.key do not belong together')
  if (certificate.validToDate.getTime() < Date.now()) throw unusable(folder, `root.pem expired on ${certificate.validTo}`)
  return { pem: certificate.toString(), key, notAfter: certificate.validToDate }
}

const importKeys = async (text: string, folder: string): Promise<webcrypto.CryptoKeyPair> => {
  const secret = read(() => createPrivateKey(text), folder, 'root.key is no private key')
  if (secret.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw unusable(folder, 'root.key is not of the curve P-256')
  const { d: _, ...open } = secret.export({ format: 'jwk' })
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', secret.export({ format: 'der', type: 'pkcs8' }), algorithm, true, [
      'sign',
    ]),
    publicKey: await webcrypto.subtle.importKey('jwk', open, algorithm, true, ['verify']),
  }
}

const selfSign = async (keys: webcrypto.CryptoKeyPair): Promise<string> => {
  const x509 = await loadX509()
  const notBefore = backdated()
  const serialNumber = newSerial()
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber,
    // Browsers list roots by name: two gateways must be told apart.
    name: `CN=zos-gateway local CA ${serialNumber.slice(0, 8)}`,
    keys,
    notBefore,
    notAfter: new Date(notBefore.getTime() + years * 365 * day),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return `${root.toString('pem')}\n`
}

const readText = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new GatewayError('ROOT_UNUSABLE', `cannot read ${path}: ${reason(error)}`, 'let the gateway read it', { cause: error })
  }
}

const read = <T>(parse: () => T, folder: string, otherwise: string): T => {
  try {
    return parse()
  } catch (error) {
    throw unusable(folder, otherwise, error)
  }
}

const unusable = (folder: string, what: string, cause?: unknown): GatewayError =>
  new GatewayError(
    'ROOT_UNUSABLE',
    `the local CA in ${folder} cannot be used: ${what}`,
    'put the files back from a backup, or delete the folder and have clients trust the new root',
    { cause },
  )
