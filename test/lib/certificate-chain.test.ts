import { describe, expect, test } from 'vitest'
import { chainFault, clientFault, contextFault, dnsNames, parseChain } from '../../lib/certificate-chain.ts'
import { makeCertificate } from './make-certificate.ts'

const root = await makeCertificate('root', { ca: true })
const middle = await root.issue('middle', { ca: true })
const names = ['shop.example.org', '*.gw.example.org']
const leaf = await middle.issue('leaf', { names })
const rsa = (modulusLength: number) => ({
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength,
  publicExponent: Uint8Array.of(1, 0, 1),
  hash: 'SHA-256',
})
const clientOf = async (wanted: Parameters<typeof middle.issue>[1]) =>
  clientFault(parseChain((await middle.issue('leaf', { names, ...wanted })).pem + middle.pem))

describe('a chain', () => {
  test('of a leaf, its intermediate and the root is fine, with or without the last ones, with any line ends', () => {
    for (const chain of [leaf.pem, leaf.pem + middle.pem, leaf.pem + middle.pem + root.pem]) {
      expect(chainFault(chain, leaf.key, names)).toBeUndefined()
      expect(chainFault(`\r\n${chain.replaceAll('\n', '\r\n')}\r\n\r\n`, leaf.key, names)).toBeUndefined()
      expect(contextFault(chain, leaf.key)).toBeUndefined()
      expect(clientFault(parseChain(chain))).toBeUndefined()
    }
  })

  test.each([
    ['the intermediate first', middle.pem + leaf.pem],
    ['the leaf twice', leaf.pem + leaf.pem],
    ['the root before the intermediate', leaf.pem + root.pem + middle.pem],
    ['the intermediate missing before the root', leaf.pem + root.pem],
  ])('with %s is refused', (_, chain) => expect(chainFault(chain, leaf.key, names)).toEqual(expect.any(String)))

  test('by a namesake of its issuer is refused', async () => {
    const namesake = await root.issue('middle', { ca: true })
    expect(chainFault(leaf.pem + namesake.pem, leaf.key, names)).toMatch(/did not sign/)
  })

  test('covers names exactly and by a wildcard for one label', () => {
    const covered = (name: string) => chainFault(leaf.pem, leaf.key, [name]) === undefined
    expect(['shop.example.org', '*.gw.example.org', 'a.gw.example.org'].map(covered)).toEqual([true, true, true])
    expect(['gw.example.org', 'a.b.gw.example.org', '*.example.org', 'example.org'].map(covered)).not.toContain(true)
  })
})

describe('clients refuse', () => {
  test.each([
    ['an RSA key of 1024 bits', { algorithm: rsa(1_024) }, /1024 bits/],
    ['a use by clients only', { uses: ['1.3.6.1.5.5.7.3.2'] }, /extended key usage/],
    ['must-staple', { mustStaple: true }, /must-staple/],
  ])('%s', async (_, wanted, why) => expect(await clientOf(wanted)).toMatch(why))

  test('a signature by SHA-1', async () => expect(await clientOf({ hash: 'SHA-1' })).toMatch(/SHA-1/))

  test('an intermediate that ended', async () => {
    const dates = { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') }
    const old = await root.issue('old', { ca: true, dates })
    expect(clientFault(parseChain((await old.issue('leaf', { names })).pem + old.pem))).toMatch(/certificate 2 .* ended/)
  })

  test('nothing of an RSA key of 2048 bits for servers and clients', async () =>
    expect(await clientOf({ algorithm: rsa(2_048), uses: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'] })).toBeUndefined())
})

test('a name with a comma in it does not pass for two', async () => {
  const { parsed } = await makeCertificate('x', { names: ['a, DNS:victim.example.org, DNS:b', 'Good.example.org'] })
  expect(dnsNames(parsed)).toEqual(['good.example.org'])
})
