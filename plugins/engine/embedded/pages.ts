import { STATUS_CODES } from 'node:http'
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
