import type { Socket } from 'node:net'
import { GatewayError } from '../../../core/index.ts'
import { parseStrictJson } from '../../../lib/strict-json.ts'

interface Request {
  readonly verb: 'present' | 'cleanup'
  readonly fqdn: string
  readonly value: string
}

/** Longer than any request that is right. */
const most = 1024

/** The first line that comes. Rejects with BAD_REQUEST where it is too long or the end comes before it. */
export const readLine = (socket: Socket): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ''
    const fail = () => reject(malformed('no whole line came'))
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end >= 0 && end <= most) resolve(text.slice(0, end))
      else if (text.length > most) fail()
    })
    socket.on('end', fail).on('close', fail)
  })

/** Throws BAD_REQUEST. What name and value may be is not asked here. */
export const parseRequest = (line: string): Request => {
  const given = json(line)
  if (typeof given !== 'object' || given === null || !('do' in given && 'fqdn' in given && 'value' in given))
    throw malformed('do, fqdn and value are not all there')
  const { do: verb, fqdn, value } = given
  if (verb !== 'present' && verb !== 'cleanup') throw malformed('do is neither present nor cleanup')
  if (typeof fqdn !== 'string' || fqdn.length > 254) throw malformed('fqdn is no name')
  if (typeof value !== 'string') throw malformed('value is no text')
  return { verb, fqdn, value }
}

const json = (line: string): unknown => {
  try {
    return parseStrictJson(line, 1)
  } catch {
    throw malformed('the line is no JSON')
  }
}

const malformed = (what: string): GatewayError =>
  new GatewayError('BAD_REQUEST', `the DNS hook was asked wrongly: ${what}`, 'ask it by the program gateway-dns-hook')
