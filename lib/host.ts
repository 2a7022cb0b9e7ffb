const host = /^(?:[a-z0-9_-]{1,63}\.)+[a-z0-9_-]{2,63}$/
const label = /^[a-z0-9_-]{1,63}$/
// What URL parsers take for an IPv4 address, in whatever spelling: the last label is a number (WHATWG URL, "ends in a number").
const numeric = /\.(?:[0-9]+|0x[0-9a-f]*)$/
const challenge = /^_acme-challenge(?:\.|$)/

/**
 * The one form in which host names are compared: lower case, no trailing dot, ASCII, labels of 1 to 63 letters, digits, `-` and `_`,
 * at least two of them, 253 characters in all (RFC 1035 section 2.3.4). `undefined` for anything else, for an IP address in any
 * spelling, and for `_acme-challenge` names, whose DNS records are the gateway's (RFC 8555 section 8.4).
 */
export const canonicalHost = (text: string): string | undefined => {
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  // Before lowering: there are letters outside ASCII whose lower case is within.
  if (name.length > 253 || !isAscii(name)) return undefined
  const lower = name.toLowerCase()
  return host.test(lower) && !numeric.test(lower) && !challenge.test(lower) ? lower : undefined
}

/** The canonical form of one label, as name workloads give it. */
export const canonicalLabel = (text: string): string | undefined => {
  if (!isAscii(text)) return undefined
  const lower = text.toLowerCase()
  return label.test(lower) && !challenge.test(lower) ? lower : undefined
}

/** Whether a host is the zone or below it, at a label boundary. Both canonical. */
export const isUnder = (name: string, zone: string): boolean => name === zone || name.endsWith(`.${zone}`)

/** Whether a DNS name of a certificate covers a host: equal, or `*` for exactly its first label (RFC 9525 section 6.3). Both canonical. */
export const covers = (pattern: string, name: string): boolean =>
  pattern === name || (pattern.startsWith('*.') && name.indexOf('.') > 0 && name.slice(name.indexOf('.')) === pattern.slice(1))

const isAscii = (text: string): boolean => /^[\x21-\x7e]*$/.test(text)
