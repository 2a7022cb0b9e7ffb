import { request } from 'node:http'

export interface ReachOptions {
  readonly host: string
  /** The address to connect to. */
  readonly address: string
  /** 80, or what stands for it in a test. */
  readonly port: number
  readonly token: string
  /** What the answer has to be. */
  readonly expected: string
  readonly signal: AbortSignal
}

/** Whether `http://<host>/.well-known/acme-challenge/<token>` is answered as a CA wants it (RFC 8555 section 8.3); else what came instead, in words. */
export const challengeAnswer = ({ host, address, port, token, expected, signal }: ReachOptions): Promise<string | undefined> =>
  new Promise((resolve) => {
    const at = `port ${port} of ${address}`
    const req = request(
      {
        host: address,
        port,
        path: `/.well-known/acme-challenge/${token}`,
        headers: { host, connection: 'close' },
        agent: false,
        signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
      },
      (res) => {
        let body = ''
        res.setEncoding('utf8')
        res.on('data', (chunk: string) => {
          body = (body + chunk).slice(0, 1_000)
        })
        res.on('end', () => {
          if (res.statusCode === 200 && body.trim() === expected) resolve(undefined)
          else resolve(`${at} answers the challenge of ${host} with ${res.statusCode} and something else`)
        })
        res.on('error', (error) => resolve(`${at} breaks off its answer: ${error.message}`))
      },
    )
    req.on('error', (error) => resolve(`${at} cannot be reached for ${host}: ${error.message}`))
    req.end()
  })
