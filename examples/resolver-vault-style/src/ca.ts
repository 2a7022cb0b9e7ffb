import { webcrypto } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { GatewayError } from 'zos-gateway'

export interface Wanted {
  readonly url: string
  readonly token: string
  /** PEM; the system's roots where undefined. */
  readonly root: string | undefined
  readonly names: readonly string[]
  readonly signal: AbortSignal
}

/** Has the CA sign a fresh key for the names. Rejects with CA_UNREACHABLE or CA_REFUSED; the token is in neither. */
export const sign = async ({ names, token, ...ca }: Wanted): Promise<{ chain: string; key: string }> => {
  ca.signal.throwIfAborted()
  const { csr, key } = await newRequest(names)
  const { status, text } = await post(ca, JSON.stringify({ csr, ott: token }))
  if (status !== 201) {
    const said = text
      .slice(0, 200)
      .replaceAll(token, '(token)')
      .replace(/[^\x20-\x7e]/g, ' ')
    throw new GatewayError('CA_REFUSED', `the CA answered ${status}: ${said}`, 'look at the token, and at what the CA allows it')
  }
  return { chain: chainOf(text), key }
}

const newRequest = async (names: readonly string[]) => {
  // Heavy, and only needed here.
  await import('reflect-metadata')
  const { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } = await import('@peculiar/x509')
  const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify'])
  const csr = await Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm,
    extensions: [new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value })))],
  })
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  const key = `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{64}(?=.)/g, '$&\n')}\n-----END PRIVATE KEY-----\n`
  return { csr: csr.toString('pem'), key }
}

const chainOf = (text: string): string => {
  try {
    const { crt, ca = '' } = JSON.parse(text)
    if (typeof crt === 'string' && typeof ca === 'string' && crt.includes('BEGIN CERTIFICATE'))
      return `${crt.trim()}\n${ca.trim()}\n`
  } catch {
    // Told below, with what is no certificate.
  }
  throw new GatewayError('CA_REFUSED', 'the CA answered without a certificate', 'is it the address of the CA?')
}

const post = ({ url, root, signal }: Omit<Wanted, 'names' | 'token'>, body: string): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const at = new URL('/1.0/sign', url)
    const request = at.protocol === 'https:' ? httpsRequest : httpRequest
    const fail = (error: Error) =>
      reject(
        new GatewayError(
          'CA_UNREACHABLE',
          `the CA ${at.host} cannot be asked: ${error.message}`,
          'see that it runs, and the way to it',
          {
            cause: error,
          },
        ),
      )
    const asked = request(at, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      signal,
      ...(root && { ca: root }),
    })
    asked.on('error', fail)
    asked.on('response', (answer) => {
      answer.setEncoding('utf8').on('error', fail)
      let text = ''
      answer.on('data', (chunk: string) => {
        text += chunk
        if (text.length > 1_000_000) answer.destroy(new Error('its answer is too long'))
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
    })
    asked.end(body)
  })
