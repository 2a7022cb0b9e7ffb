/** An address, and how the problem names what it is. */
export const forbidden: readonly (readonly [string, string])[] = [
  ['127.0.0.1', 'a loopback address'],
  ['127.255.255.254', 'a loopback address'],
  ['::1', 'a loopback address'],
  ['::ffff:127.0.0.1', 'a loopback address'],
  ['::ffff:7f00:1', 'a loopback address'],
  ['0.0.0.0', 'an unspecified address'],
  ['::', 'an unspecified address'],
  ['169.254.169.254', 'a link-local address'],
  ['fe80::1', 'a link-local address'],
  ['224.0.0.1', 'a multicast address'],
  ['ff02::1', 'a multicast address'],
  ['255.255.255.255', 'the broadcast address'],
  ['64:ff9b::8.8.8.8', 'a NAT64 address'],
  ['64:ff9b::127.0.0.1', 'leads to 127.0.0.1, a loopback address'],
  ['2002:7f00:1::1', 'leads to 127.0.0.1, a loopback address'],
  ['2002:a9fe:a9fe::1', 'leads to 169.254.169.254, a link-local address'],
  ['2002:a00:1::1', 'leads to 10.0.0.1, a private address'],
  ['2001:0:4136:e378:8000:63bf:80ff:fffe', 'leads to 127.0.0.1, a loopback address'],
  ['10.0.0.1', 'a private address'],
  ['172.16.0.1', 'a private address'],
  ['192.168.0.1', 'a private address'],
  ['100.64.0.1', 'a carrier-grade NAT address'],
  ['fd00::1', 'a unique local address'],
  ['240.0.0.1', 'out of the ranges in public use'],
  ['::127.0.0.1', 'out of the ranges in public use'],
  ['300::1', 'out of the ranges in public use'],
]

/** Every form of a backend at the address, and whether it is one for passthrough. */
export const forms = (ip: string): readonly (readonly [string, boolean])[] => [
  [`http://${bracketed(ip)}:8000`, false],
  [`https://${bracketed(ip)}`, false],
  [`${bracketed(ip)}:8000`, true],
  [`https://${bracketed(ip)}:8000`, true],
]

export const bracketed = (ip: string) => (ip.includes(':') ? `[${ip}]` : ip)
