import { isIPv6 } from 'node:net'

export interface Peer {
  readonly address: string
  readonly port: number
}

/** PROXY protocol version 1, as text (haproxy.org proxy-protocol.txt section 2.1). */
export const proxyV1 = (source: Peer, target: Peer): Buffer =>
  Buffer.from(
    `PROXY ${isIPv6(source.address) ? 'TCP6' : 'TCP4'} ${source.address} ${target.address} ${source.port} ${target.port}\r\n`,
  )

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

/** PROXY protocol version 2, binary, over TCP and IPv4 (section 2.2); `local` is a health check that speaks for nobody. */
export const proxyV2 = (source: Peer, target: Peer, local = false): Buffer => {
  const addresses = Buffer.from([...source.address.split('.').map(Number), ...target.address.split('.').map(Number), 0, 0, 0, 0])
  addresses.writeUInt16BE(source.port, 8)
  addresses.writeUInt16BE(target.port, 10)
  return Buffer.concat([signature, Buffer.from([local ? 0x20 : 0x21, 0x11, 0, 12]), addresses])
}

/** What a header says, and the bytes behind it; undefined while it is not whole. Throws where there is no header. */
export const readProxyHeader = (data: Buffer): { source: Peer; target: Peer; rest: Buffer } | undefined => {
  if (data.subarray(0, 12).equals(signature)) return readV2(data)
  if (data.length < 12 && signature.subarray(0, data.length).equals(data)) return undefined
  const end = data.indexOf('\r\n')
  if (end < 0 && data.length < 107) return undefined
  const [, source, target, from, to] = /^PROXY TCP[46] (\S+) (\S+) (\d+) (\d+)$/.exec(data.toString('latin1', 0, end)) ?? []
  if (source === undefined || target === undefined)
    throw new Error(`no PROXY header: ${JSON.stringify(data.toString('latin1', 0, 40))}`)
  return {
    source: { address: source, port: Number(from) },
    target: { address: target, port: Number(to) },
    rest: data.subarray(end + 2),
  }
}

const readV2 = (data: Buffer) => {
  if (data.length < 16) return undefined
  const length = data.readUInt16BE(14)
  if (data.length < 16 + length) return undefined
  if (data[13] !== 0x11) throw new Error(`PROXY version 2 of family ${data[13]}, and not TCP over IPv4`)
  const address = (at: number) => [...data.subarray(at, at + 4)].join('.')
  return {
    source: { address: address(16), port: data.readUInt16BE(24) },
    target: { address: address(20), port: data.readUInt16BE(26) },
    rest: data.subarray(16 + length),
  }
}
