import { isIPv6 } from 'node:net'

/**
 * How many full answers a network gets over UDP, whose sender may be forged: `burst` at once, then `rate` a second. Beyond, it is told
 * to ask over TCP, by an answer no longer than its question and a few bytes. A network is a /24, or a /56 of IPv6.
 */
export const answerLimit = ({ rate = 100, burst = 200, networks = 10_000, now = () => performance.now() } = {}) => {
  const left = new Map<string, { tokens: number; at: number }>()
  return (address: string): boolean => {
    const network = networkOf(address)
    const at = now()
    const was = left.get(network)
    const tokens = was ? Math.min(burst, was.tokens + ((at - was.at) / 1_000) * rate) : burst
    left.delete(network)
    const [oldest] = left.keys()
    if (left.size >= networks && oldest !== undefined) left.delete(oldest)
    left.set(network, { tokens: Math.max(0, tokens - 1), at })
    return tokens >= 1
  }
}

const networkOf = (address: string): string => {
  if (!isIPv6(address)) return address.slice(0, address.lastIndexOf('.'))
  const [before = '', after] = address.split('::')
  const groups = before.split(':').filter(Boolean)
  const zeros = after === undefined ? 0 : 8 - groups.length - after.split(':').filter(Boolean).length
  const [a = '0', b = '0', c = '0', d = '0'] = [
    ...groups,
    ...Array.from({ length: zeros }, () => '0'),
    ...(after ?? '').split(':'),
  ]
  return `${a}:${b}:${c}:${d.length > 2 ? d.slice(0, -2) : '0'}`
}
