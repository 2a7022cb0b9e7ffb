import { webcrypto } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { createAuthority } from '../authority.ts'
import { freePort } from '../port.ts'

type Json = Readonly<Record<string, unknown>>
/** What an answer is turned into: its JSON by fields, or a whole answer of another kind. */
export interface Lie {
  /** Fields of the directory, of each order, of each authorization, of the renewal information. */
  readonly directory?: (url: string) => Json
  readonly order?: (order: Json, url: string) => Json
  readonly authorization?: (authorization: Json) => Json
  readonly renewal?: (url: string) => Json
  readonly headers?: Readonly<Record<string, string>>
  /** Of the certificate: other names, dates, key. */
  readonly names?: (names: readonly string[]) => readonly string[]
  readonly dates?: { readonly notBefore: Date; readonly notAfter: Date }
  readonly key?: () => Promise<webcrypto.CryptoKey>
  readonly chain?: (pem: string) => string
  /** The first that answers for a path does so instead of the CA. */
  readonly instead?: (path: string, res: ServerResponse, req: IncomingMessage) => boolean
}
/** A CA that proves nothing, issues for every order, and lies as it is told. */
export interface LyingCa {
  readonly directory: string
  /** PEM of the root by which its URLs are verified. */
  readonly trust: string
  lie: Lie
  /** Paths that were asked for, with the method: `POST /order`. */
  readonly asked: string[]
  close(): Promise<void>
}

const day = 86_400_000
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const problem = (type: string, detail: string) => JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail })

/** Answers with a problem of the CA. */
export const refuse = (res: ServerResponse, status: number, type: string, detail: string): true => {
  const headers = { 'content-type': 'application/problem+json', 'replay-nonce': `refused${Math.random()}`.replace('.', '') }
  res.writeHead(status, headers).end(problem(type, detail))
  return true
}

export const startLyingCa = async (): Promise<LyingCa> => {
  const own = await createAuthority('lying CA')
  const tls = await own.issue(['localhost', '127.0.0.1'])
  const issue = await issuer()
  const port = await freePort()
  const url = `https://localhost:${port}`
  const orders = new Map<string, { names: readonly string[]; csr?: string }>()
  const asked: string[] = []
  let nonces = 0

  const answerTo = async (path: string, payload: Json): Promise<{ status: number; body: Json | string; location?: string }> => {
    const { lie } = ca
    const [, kind = '', id = ''] = path.split('/')
    const order = orders.get(id)
    const shown = () => {
      const honest = {
        status: order?.csr ? 'valid' : 'ready',
        finalize: `${url}/finalize/${id}`,
        authorizations: order?.names.map((_, at) => `${url}/authorization/${id}/${at}`) ?? [],
        ...(order?.csr && { certificate: `${url}/certificate/${id}` }),
      }
      return { ...honest, ...lie.order?.(honest, url) }
    }
    if (kind === 'directory') {
      const at = (name: string) => `${url}/${name}`
      const honest = { newNonce: at('nonce'), newAccount: at('account'), newOrder: at('order'), renewalInfo: at('renewal') }
      return { status: 200, body: { ...honest, ...lie.directory?.(url) } }
    }
    if (kind === 'account') return { status: 201, body: { status: 'valid' }, location: `${url}/accounts/${++nonces}` }
    if (kind === 'renewal') return { status: 200, body: lie.renewal?.(url) ?? {} }
    if (kind === 'order') {
      const wanted = payload.identifiers as readonly { value: string }[]
      const made = String(orders.size + 1)
      orders.set(made, { names: wanted.map(({ value }) => value) })
      const { body } = await answerTo(`/orders/${made}`, {})
      return { status: 201, body, location: `${url}/orders/${made}` }
    }
    if (kind === 'nonce') return { status: 200, body: {} }
    if (!order) return { status: 404, body: problem('malformed', 'no such order') }
    if (kind === 'authorization') {
      const honest = {
        status: 'valid',
        identifier: { type: 'dns', value: order.names[Number(path.split('/')[3])] },
        challenges: [],
      }
      return { status: 200, body: { ...honest, ...lie.authorization?.(honest) } }
    }
    if (kind === 'finalize') orders.set(id, { ...order, csr: String(payload.csr) })
    if (kind === 'certificate') return { status: 200, body: await issue(order.names, order.csr ?? '', lie) }
    const { csr } = orders.get(id) ?? {}
    return {
      status: 200,
      body: csr && !order.csr ? { ...shown(), ...((await answerTo(`/orders/${id}`, {})).body as Json) } : shown(),
    }
  }
  const server = createServer({ cert: tls.chain, key: tls.key }, async (req, res) => {
    const path = req.url ?? ''
    asked.push(`${req.method} ${path}`)
    res.on('error', () => undefined)
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk)
    if (ca.lie.instead?.(path, res, req)) return
    const { payload = '' } = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {}
    const { status, body, location } = await answerTo(
      path,
      payload ? JSON.parse(Buffer.from(payload, 'base64url').toString()) : {},
    )
    const type = typeof body === 'string' ? 'application/pem-certificate-chain' : 'application/json'
    const headers = { 'content-type': type, 'replay-nonce': `nonce${++nonces}`, ...(location && { location }), ...ca.lie.headers }
    res.writeHead(status, headers).end(req.method === 'HEAD' ? undefined : typeof body === 'string' ? body : JSON.stringify(body))
  })
  server.on('tlsClientError', () => undefined)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const ca: LyingCa = {
    directory: `${url}/directory`,
    trust: own.root,
    lie: {},
    asked,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
  return ca
}

/** Signs what a certificate request holds, or what the lie has in the place of it. */
const issuer = async () => {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  x509.cryptoProvider.set(webcrypto)
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  return async (names: readonly string[], csr: string, lie: Lie): Promise<string> => {
    const request = new x509.Pkcs10CertificateRequest(Buffer.from(csr, 'base64url'))
    const leaf = await x509.X509CertificateGenerator.create({
      subject: 'CN=leaf',
      issuer: 'CN=lying CA',
      publicKey: (await lie.key?.()) ?? request.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: algorithm,
      ...(lie.dates ?? { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 90 * day) }),
      extensions: [
        new x509.SubjectAlternativeNameExtension((lie.names?.(names) ?? names).map((value) => ({ type: 'dns', value }))),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
      ],
    })
    const pem = `${leaf.toString('pem')}\n`
    return lie.chain?.(pem) ?? pem
  }
}
