import { STATUS_CODES } from 'node:http'
import type { Exchange } from './exchange.ts'
import type { Fields } from './fields.ts'

const pages = new Map<number, Buffer>()

/** What the gateway itself answers with: the status in words, and nothing of what is behind it. */
export const errorPage = (status: number): Buffer => {
  const page = pages.get(status) ?? Buffer.from(`${status} ${STATUS_CODES[status] ?? 'Error'}\n`)
  pages.set(status, page)
  return page
}
export const pageFields = (page: Buffer): Fields => [
  'Content-Type',
  'text/plain; charset=utf-8',
  'Content-Length',
  String(page.length),
  'Cache-Control',
  'no-store',
]

/** The head of an answer that is written by hand. */
export const rawHead = (status: number, reason: string, fields: Readonly<Fields>): string => {
  let head = `HTTP/1.1 ${status} ${reason || (STATUS_CODES[status] ?? '')}\r\n`
  for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`
  return `${head}\r\n`
}

/** Answers a request with a page of the gateway's own; says how long its body was. */
export const answerWith = (exchange: Exchange, status: number): number => {
  const page = errorPage(status)
  const retry = status === 429 || status === 503 ? ['Retry-After', '1'] : []
  exchange.respond(status, '', [...pageFields(page), ...retry], { bodyless: false, trailers: false })
  exchange.end(page, [])
  return exchange.method === 'HEAD' ? 0 : page.length
}
