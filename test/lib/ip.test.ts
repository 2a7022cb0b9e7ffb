import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Ip, inRange, parseIp, parseRange } from '../../lib/ip.ts'
import { classify, embedded } from '../../lib/ip-class.ts'

const ip = (text: string): Ip => parseIp(text) ?? expect.fail(`${text} is no address`)

describe('parseIp', () => {
  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['2001:db8:3333:4444:CCCC:DDDD:EEEE:FFFF', '2001:db8:3333:4444:cccc:dddd:eeee:ffff'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::ffff:102:304', '1.2.3.4'],
    ['::1.2.3.4', '::102:304'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ])('takes %s', (text, canonical) => expect(parseIp(text)?.text).toBe(canonical))

  it.each([
    '',
    '1',
    '2130706433',
    '0x7f.1',
    '0x7f000001',
    '127.1',
    '127.000.000.001',
    '0177.0.0.1',
    '1.2.3.4.',
    '.1.2.3.4',
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.4\n',
    '1.2.3.4\u0000',
    '\uff11.2.3.4',
    '1\u30022\u30023\u30024',
    '\u0661.2.3.4',
    'fe80::1%eth0',
    '::1%25',
    '[::1]',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '12345::',
    '::ffff:1.2.3.04',
    '::1.2.3',
    '1.2.3.4/32',
  ])('refuses %j', (text) => expect(parseIp(text)).toBeUndefined())

  it('gives one spelling for one address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const one = ip(text)
        expect(ip(one.text)).toEqual(one)
        expect(ip(text.toUpperCase())).toEqual(one)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('classify', () => {
  it.each([
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['::', 'unspecified'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['fe80::1', 'link-local'],
    ['febf:ffff::1', 'link-local'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['255.255.255.254', 'reserved'],
    ['240.0.0.1', 'reserved'],
    ['10.0.0.1', 'private'],
    ['172.15.255.255', 'global'],
    ['172.16.0.0', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.0', 'global'],
    ['192.168.1.1', 'private'],
    ['100.63.255.255', 'global'],
    ['100.64.0.0', 'cgnat'],
    ['100.127.255.255', 'cgnat'],
    ['100.128.0.0', 'global'],
    ['fc00::1', 'ula'],
    ['fdff::1', 'ula'],
    ['64:ff9b::7f00:1', 'nat64'],
    ['64:ff9b:1::7f00:1', 'nat64'],
    ['64:ff9b:2::1', 'reserved'],
    ['2002:7f00:1::', '6to4'],
    ['2001:0:1:2::', 'teredo'],
    ['192.0.0.0', 'protocol'],
    ['192.0.0.170', 'protocol'],
    ['192.0.1.0', 'global'],
    ['192.0.2.255', 'documentation'],
    ['192.88.98.255', 'global'],
    ['192.88.99.1', '6to4-relay'],
    ['198.17.255.255', 'global'],
    ['198.18.0.0', 'benchmarking'],
    ['198.19.255.255', 'benchmarking'],
    ['198.20.0.0', 'global'],
    ['198.51.100.7', 'documentation'],
    ['203.0.113.7', 'documentation'],
    ['::ffff:192.0.0.1', 'protocol'],
    ['100::1', 'discard'],
    ['100:0:0:1::1', 'discard'],
    ['2001:1::1', 'protocol'],
    ['2001:2::1', 'benchmarking'],
    ['2001:20::1', 'protocol'],
    ['2001:1ff:ffff::', 'protocol'],
    ['2001:200::1', 'global'],
    ['2001:db8::1', 'documentation'],
    ['2001:db9::1', 'global'],
    ['3fff::1', 'documentation'],
    ['3fff:fff:ffff::', 'documentation'],
    ['3fff:1000::', 'global'],
    ['5f00::1', 'reserved'],
    ['::ffff:0:7f00:1', 'reserved'],
    ['2a02:1802::1', 'global'],
    ['200::1', 'reserved'],
    ['400::1', 'reserved'],
    ['::7f00:1', 'reserved'],
    ['fec0::1', 'reserved'],
    ['8.8.8.8', 'global'],
  ])('%s is %s', (text, expected) => expect(classify(ip(text))).toBe(expected))
})

describe('embedded', () => {
  it.each([
    ['64:ff9b::7f00:1', '127.0.0.1'],
    ['2002:7f00:1::5', '127.0.0.1'],
    ['2001:0:4136:e378:8000:63bf:80ff:fffe', '127.0.0.1'],
    ['2001:db8::1', undefined],
    ['127.0.0.1', undefined],
  ])('%s carries %s', (text, expected) => expect(embedded(ip(text))?.text).toBe(expected))
})

describe('inRange', () => {
  it.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['10.128.0.0', '10.128.0.0/9', true],
    ['10.127.255.255', '10.128.0.0/9', false],
    ['1.2.3.4', '1.2.3.4', true],
    ['1.2.3.5', '1.2.3.4', false],
    ['1.2.3.4', '0.0.0.0/0', true],
    ['::1', '0.0.0.0/0', false],
    ['2ff::1', '200::/7', true],
    ['3ff:ffff::1', '200::/7', true],
    ['400::1', '200::/7', false],
    ['2001:db8::1', '2001:db8::1/128', true],
    ['::ffff:10.0.0.1', '10.0.0.0/8', true],
  ])('%s in %s: %s', (text, range, expected) => expect(inRange(ip(text), parseRange(range)!)).toBe(expected))

  it.each([
    '',
    '/',
    '10.0.0.0/',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    'x/8',
    '::ffff:10.0.0.0/104',
    '::ffff:0:0/16',
  ])('%j is no range', (text) => expect(parseRange(text)).toBeUndefined())
})
