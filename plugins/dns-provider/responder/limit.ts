import { networkOf } from '../../../lib/client-address.ts'

/** What an address gets over UDP now: a whole answer, one that asks it to come by TCP, or none. */
export type Allowance = 'full' | 'truncated' | 'none'

/**
 * How many answers a network gets over UDP, whose sender may be forged. Of full ones `burst` at once, then `rate` a second; beyond, ten
 * times as many of no more bytes than their question and a few; beyond these, none. A network is a /24, or a /56 of IPv6.
 */
export const answerLimit = ({ rate = 100, burst = 200, networks = 10_000, now = () => performance.now() } = {}) => {
  const known = new Map<string, { full: number; truncated: number; at: number }>()
  return (address: string): Allowance => {
    const network = networkOf(address, { v4: 24, v6: 56 })
    const at = now()
    const was = known.get(network) ?? { full: burst, truncated: 10 * burst, at }
    const gained = ((at - was.at) / 1_000) * rate
    const full = Math.min(burst, was.full + gained)
    const truncated = Math.min(10 * burst, was.truncated + 10 * gained)
    const allowance = full >= 1 ? 'full' : truncated >= 1 ? 'truncated' : 'none'
    known.delete(network)
    const [oldest] = known.keys()
    if (known.size >= networks && oldest !== undefined) known.delete(oldest)
    known.set(network, {
      full: allowance === 'full' ? full - 1 : full,
      truncated: allowance === 'truncated' ? truncated - 1 : truncated,
      at,
    })
    return allowance
  }
}
