import { request as ask, type ClientRequest, type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { patience } from '../../../../lib/patience.ts'
import { splice, type Tunnel } from '../../../../lib/splice.ts'
import type { Open, Workload } from './table.ts'
import type { Target } from './target.ts'

/** A request that is to become another protocol, such as WebSocket, on its way to a backend; counted from its head on. */
export class Upgrade implements Open {
  readonly #workload: Workload
  readonly #request: IncomingMessage
  readonly #fields: readonly string[]
  readonly #client: Socket
  readonly #head: Buffer
  readonly #tried = new Set<Target>()
  /** ms that a backend has for its answer. */
  readonly #answerTime: number
  #asked: ClientRequest | undefined
  #tunnel: Tunnel | undefined
  #answered = false
  #given = 0
  #over = false

  /** `fields`: of the request, as the backend gets them, names and values in turn. */
  constructor(
    workload: Workload,
    request: IncomingMessage,
    fields: readonly string[],
    client: Socket,
    head: Buffer,
    answerTime: number,
  ) {
    this.#workload = workload
    this.#answerTime = answerTime
    this.#request = request
    this.#fields = fields
    this.#client = client
    this.#head = head
    workload.flows.add(this)
    client.on('close', () => {
      if (!this.#tunnel) this.#gone()
    })
    this.#dial()
  }

  pending(): number {
    return Math.min(this.#client.writableLength, this.#given)
  }
  cut(): void {
    this.#client.destroy()
    this.#asked?.destroy()
    this.#tunnel?.cut()
    this.#gone()
  }

  #dial(): void {
    const target = this.#workload.targets.pick(this.#tried)
    if (!target) {
      this.#refuse()
      return
    }
    target.dial((result) => {
      if (this.#over) {
        if (!(result instanceof Error)) result.destroy()
      } else if (!(result instanceof Error)) this.#send(result)
      else {
        this.#tried.add(target)
        this.#dial()
      }
    })
  }
  #send(backend: Socket): void {
    try {
      const { method, url } = this.#request
      const asked = ask({ method, path: url, headers: this.#fields, setHost: false, createConnection: () => backend })
      this.#asked = asked
      asked.once('upgrade', (answer, socket, head) => this.#take(() => this.#join(answer, socket, head)))
      asked.once('response', (answer) => this.#take(() => this.#pass(answer)))
      asked.on('error', () => (this.#answered ? this.#client.destroy() : this.#refuse()))
      asked.once(
        'close',
        patience(this.#answerTime, () => !this.#answered && asked.destroy(new Error('no answer in time'))),
      )
      asked.end()
    } catch {
      backend.destroy()
      this.#refuse()
    }
  }
  /** Whatever a backend answers ends at most its own flow. */
  #take(step: () => void): void {
    try {
      step()
    } catch {
      if (this.#answered) {
        this.cut()
        return
      }
      this.#asked?.destroy()
      this.#refuse()
    }
  }
  #join(answer: IncomingMessage, backend: Socket, head: Buffer): void {
    checkHead(answer)
    this.#answered = true
    const { meter } = this.#workload
    const lines = pairs(answer.rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`)
    this.#client.write(`HTTP/1.1 101 ${answer.statusMessage}\r\n${lines.join('')}\r\n`, 'latin1')
    const up = (bytes: number) => {
      meter.request += bytes
    }
    const ends = [
      { socket: this.#client, head: this.#head, count: up },
      { socket: backend, head, count: this.#down },
    ] as const
    this.#tunnel = splice(...ends, () => this.#gone())
  }
  /** The backend goes on in HTTP. */
  #pass(answer: IncomingMessage): void {
    checkHead(answer)
    const response = new ServerResponse(this.#request)
    response.assignSocket(this.#client)
    response.shouldKeepAlive = false
    const fields = pairs(answer.rawHeaders).filter(([name]) => !ofOneHop.has(name.toLowerCase()))
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, fields.flat())
    this.#answered = true
    response.on('error', () => this.#client.destroy())
    answer.on('error', () => this.#client.destroy())
    answer.on('data', (chunk: Buffer) => this.#down(chunk.length))
    answer.on('close', () => {
      if (!answer.complete) this.#client.destroy()
    })
    answer.pipe(response).once('finish', () => this.#client.end())
  }
  #refuse(): void {
    this.#answered = true
    this.#client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
  }
  readonly #down = (bytes: number): void => {
    this.#workload.meter.response += bytes
    this.#given += bytes
  }
  #gone(): void {
    if (this.#over) return
    this.#over = true
    this.#asked?.destroy()
    this.#workload.meter.response -= this.pending()
    this.#workload.ended(this)
  }
}

const pairs = (fields: readonly string[]): readonly (readonly [name: string, value: string])[] =>
  fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? ''] as const] : []))

/** Throws where a backend wrote what no response may have (RFC 9112 section 4, RFC 9110 sections 5.5 and 15). */
const checkHead = ({ statusCode = 0, statusMessage = '', rawHeaders }: IncomingMessage): void => {
  if (statusCode < 101 || statusCode > 999 || noText.test(statusMessage) || rawHeaders.some((text) => noText.test(text)))
    throw new Error('the backend wrote what is no response')
}
const noText = /[^\t\x20-\x7e\x80-\xff]/

/** RFC 9110 section 7.6.1: the length of the body goes on, its framing does not. */
const ofOneHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'])
