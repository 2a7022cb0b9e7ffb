import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { proxyAgent } from '../proxy.ts'

export interface HttpRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Of the answer's body. */
  readonly maxBytes: number
  readonly signal: AbortSignal
}
export interface HttpAnswer {
  readonly status: number
  readonly retryAfter: string | undefined
  /** `undefined` where there was more than `maxBytes`. */
  readonly text: string | undefined
}

const agent = proxyAgent({ keepAlive: false })

/** One request, by the proxy of HTTPS_PROXY where the URL is https. Follows no redirect. */
export const httpRequest = ({ method, url, headers, body, maxBytes, signal }: HttpRequest): Promise<HttpAnswer> =>
  new Promise((resolve, reject) => {
    const secure = url.protocol === 'https:'
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const options = { method, headers: { ...headers, ...length }, signal, agent: secure ? agent : false }
    const answered = (answer: IncomingMessage) => {
      const chunks: Buffer[] = []
      let size = 0
      const done = (text: string | undefined) =>
        resolve({ status: answer.statusCode ?? 0, retryAfter: answer.headers['retry-after'], text })
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= maxBytes) return void chunks.push(chunk)
        done(undefined)
        answer.destroy()
      })
      answer.on('error', reject)
      answer.on('end', () =>
        answer.complete ? done(Buffer.concat(chunks).toString('utf8')) : reject(new Error('the answer ended half-way')),
      )
    }
    const asked: ClientRequest = secure ? secureRequest(url, options, answered) : plainRequest(url, options, answered)
    asked.on('error', reject)
    asked.end(body)
  })
