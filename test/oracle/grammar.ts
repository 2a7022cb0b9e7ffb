import fc from 'fast-check'

const oneOf = (...values: readonly string[]) => fc.constantFrom(...values)
const octet = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 255 }).map(String) },
  oneOf('256', '00', '01', '007', '0x7f', '0177', '', '-1', '+1', '1e1', '\uff11', '\u0661'),
)
const v4 = fc.oneof(
  { weight: 6, arbitrary: fc.array(octet, { minLength: 4, maxLength: 4 }).map((parts) => parts.join('.')) },
  fc.array(octet, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('.')),
  oneOf('2130706433', '0x7f000001', '127.1', '1.2.3.4.', '127.0.0.1%1', '1\u30022\u30023\u30024'),
)
const group = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16)) },
  { weight: 2, arbitrary: oneOf('0', '0000', '00', 'ffff', 'FFFF', 'AbC') },
  oneOf('', '12345', 'g', '00000', '0x1', ' 1', '\uff11'),
)
const v6 = fc.oneof(
  { weight: 3, arbitrary: fc.array(group, { minLength: 8, maxLength: 8 }).map((parts) => parts.join(':')) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.array(group, { maxLength: 8 }), fc.array(group, { maxLength: 8 }))
      .map(([head, tail]) => `${head.join(':')}::${tail.join(':')}`),
  },
  { weight: 2, arbitrary: fc.tuple(fc.array(group, { maxLength: 7 }), v4).map(([head, tail]) => [...head, tail].join(':')) },
  { weight: 2, arbitrary: fc.tuple(fc.array(group, { maxLength: 6 }), v4).map(([head, tail]) => `${head.join(':')}::${tail}`) },
  { weight: 1, arbitrary: v4.map((tail) => `::ffff:${tail}`) },
  oneOf('::', '::1', ':::', '1::2::3', 'fe80::1%eth0', 'fe80::1%25eth0', '::1%', '1:2:3:4:5:6:7::', '::2:3:4:5:6:7:8'),
)
const ip = fc.oneof(v4, v6)
const port = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 70_000 }).map(String) },
  oneOf('', '0', '+80', '-1', '080', '65535', '65536', '8_0', '8 0', '\u0661', '0x50', '99999999999999999999', 'http'),
)
const host = fc.oneof(
  { weight: 4, arbitrary: v4 },
  { weight: 4, arbitrary: v6.map((text) => `[${text}]`) },
  ip,
  v4.map((text) => `[${text}]`),
)
const scheme = fc.oneof(
  { weight: 6, arbitrary: oneOf('http://', 'https://') },
  oneOf('HTTP://', 'hTTps://', 'http:', 'http:/', 'http:///', '//', 'ftp://', ' http://', 'http\u017f://', 'http//', '://'),
)
const user = fc.oneof({ weight: 12, arbitrary: fc.constant('') }, oneOf('user@', 'user:pass@', '@', '%00@', ':@', 'a@b@'))
const rest = fc.oneof(
  { weight: 8, arbitrary: fc.constant('') },
  { weight: 2, arbitrary: fc.constant('/') },
  oneOf('//', '/a', '/../', '?', '?a=b', '#', '#f', '/?', '/#f', ' ', '\n', '\u0000', '%', '%41', '\\', '/%2e'),
)
const withPort = fc.tuple(host, fc.option(port)).map(([left, right]) => (right === null ? left : `${left}:${right}`))
const url = fc.tuple(scheme, user, withPort, rest).map((parts) => parts.join(''))
const any = fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEFx.:[]%/@?#htps \\-+\n\u0000\uff0e'), maxLength: 40 })

/** What may be meant for an address. */
export const addresses = fc.oneof({ weight: 4, arbitrary: v4 }, { weight: 6, arbitrary: v6 }, { weight: 1, arbitrary: any })
/** What may be meant for a backend. */
export const backends = fc.oneof({ weight: 6, arbitrary: url }, { weight: 4, arbitrary: withPort }, { weight: 1, arbitrary: any })
