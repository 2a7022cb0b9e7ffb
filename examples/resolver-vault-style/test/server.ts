import { randomBytes, webcrypto } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const day = 86_400_000

export interface Ca {
  readonly url: string
  /** PEM of the root of what it signs. */
  readonly root: string
  /** Answers this instead of signing, from now on. */
  answer?: { readonly status: number; readonly body: string } | undefined
  close(): Promise<void>
}

/** A CA over HTTP in the style of step-ca: `POST /1.0/sign { csr, ott }` gives `{ crt, ca }` to whoever has the token. */
export const startCa = async (token: string): Promise<Ca> => {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const life = () => ({ notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 30 * day) })
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=internal root',
    keys,
    ...life(),
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  })
  const signed = async (pem: string): Promise<string> => {
    const csr = new x509.Pkcs10CertificateRequest(pem)
    if (!(await csr.verify())) throw new Error('the request is not signed by its own key')
    const names = csr.extensions.filter((extension) => extension instanceof x509.SubjectAlternativeNameExtension)
    const leaf = await x509.X509CertificateGenerator.create({
      serialNumber: `40${randomBytes(15).toString('hex')}`,
      subject: 'O=internal',
      issuer: root.subject,
      publicKey: csr.publicKey,
      signingKey: keys.privateKey,
      ...life(),
      signingAlgorithm: algorithm,
      extensions: [...names, new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth])],
    })
    return leaf.toString('pem')
  }
  const ca: { answer?: Ca['answer'] } = {}
  const server = createServer(async (request, response) => {
    const reply = (status: number, body: string) => response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    if (ca.answer) return reply(ca.answer.status, ca.answer.body)
    const { csr, ott } = JSON.parse(Buffer.concat(await request.toArray()).toString())
    if (request.url !== '/1.0/sign' || request.method !== 'POST') return reply(404, '{"message":"there is nothing"}')
    if (ott !== token) return reply(401, `{"message":"the token ${ott} is not known"}`)
    return reply(201, JSON.stringify({ crt: await signed(csr), ca: root.toString('pem') }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return Object.assign(ca, {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    root: root.toString('pem'),
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}
