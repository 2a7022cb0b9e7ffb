import { parseIp } from './ip.ts'

/** What one client is counted by: its IPv4 address, or the /64 of its IPv6 address, which is what a provider gives to one household. */
export const clientAddress = (address: string | undefined): string => networkOf(address ?? '', { v4: 32, v6: 64 })

/** The network that an address is in, by so many leading bits (a multiple of 8), as a key. Text that is no address stands for itself. */
export const networkOf = (address: string, { v4, v6 }: { readonly v4: number; readonly v6: number }): string => {
  const ip = parseIp(address.replace(/%.*$/, ''))
  if (!ip) return address
  const bits = ip.version === 4 ? v4 : v6
  if (bits === ip.bytes.length * 8) return ip.text
  return `${ip.version === 4 ? 'v4' : 'v6'} ${ip.bytes.slice(0, bits / 8).join('.')}`
}
