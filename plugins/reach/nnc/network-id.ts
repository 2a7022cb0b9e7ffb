import { createHash } from 'node:crypto'

/** What networkd knows a tenant's network by: the first 13 letters of base58 over MD5 of `twin:name`. */
export const networkId = (twin: string, name: string): string =>
  base58(
    createHash('md5')
      .update(`${BigInt(twin)}:${name}`)
      .digest(),
  ).slice(0, 13)

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

const base58 = (bytes: Uint8Array): string => {
  let text = ''
  for (let rest = BigInt(`0x${Buffer.from(bytes).toString('hex')}`); rest > 0n; rest /= 58n)
    text = alphabet.charAt(Number(rest % 58n)) + text
  const zeros = bytes.findIndex((byte) => byte !== 0)
  return '1'.repeat(zeros === -1 ? bytes.length : zeros) + text
}
