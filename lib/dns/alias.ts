import { randomBytes } from 'node:crypto'
import type { DnsLook } from './look.ts'

const maxAliases = 8

/**
 * The name that CNAME records at `name` lead to, where a CA then looks (RFC 8555 section 8.4); `undefined` where there are none.
 * What a `*` record answers is no alias, unless `wildcards` are followed: a record of the name's own takes its place. Throws where they lead in a circle or too far.
 */
export const aliasOf = async (
  look: DnsLook,
  name: string,
  { wildcards = false }: { readonly wildcards?: boolean } = {},
): Promise<string | undefined> => {
  const chain: string[] = []
  for (let at = name; chain.length <= maxAliases; ) {
    const [target] = (await look.cname(at)).records
    const next = target?.toLowerCase().replace(/\.$/, '')
    if (next === undefined || next === '') return chain.at(-1)
    if (!wildcards && chain.length === 0 && (await isWildcard(look, name, next))) return undefined
    if (next === name || chain.includes(next)) throw new Error(`the CNAME records of ${name} lead in a circle, by ${next}`)
    chain.push(next)
    at = next
  }
  throw new Error(`more than ${maxAliases} CNAME records lead on from ${name}`)
}

const isWildcard = async (look: DnsLook, name: string, target: string): Promise<boolean> => {
  const beside = `x${randomBytes(8).toString('hex')}${name.slice(name.indexOf('.'))}`
  return (await look.cname(beside)).records.some((other) => other.toLowerCase().replace(/\.$/, '') === target)
}
