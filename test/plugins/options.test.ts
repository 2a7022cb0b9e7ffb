import { expect, test } from 'vitest'
import * as plugins from '../../plugins/index.ts'

const noOptions = ['fqdnProxy', 'memory', 'nameProxy', 'tlsPassthrough', 'unbridged']
/** Not for a config: `gateway --shadow` makes it. */
const inner = ['shadow']
const pair = { certificate: '/etc/tls/chain.pem', key: '/etc/tls/key.pem' }

type Factory = (options: object) => { readonly kind?: unknown }
const factories = Object.entries<unknown>(plugins).filter(
  (entry): entry is [string, Factory] =>
    typeof entry[1] === 'function' && /^[a-z]/.test(entry[0]) && ![...noOptions, ...inner, 'hasZinit'].includes(entry[0]),
)

test.for(factories)('%s refuses an option that does not exist, by its name', ([name, factory]) => {
  const given = name === 'files' ? { ...pair, zzzz: 1 } : { zzzz: 1 }
  expect(() => factory(given)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(/zzzz does not exist/) }),
  )
})

test('every plugin with options is among them', () => {
  expect(factories.length).toBeGreaterThan(25)
})

const token = { hash: `sha256:${'0'.repeat(64)}`, scope: 'read' }
test.for<[string, () => unknown, string]>([
  ['a range of backends', () => plugins.backends({ alow: ['10.0.0.0/8'] } as never), 'did you mean allow?'],
  ['tokens', () => plugins.httpApi({ token: [token] } as never), 'did you mean tokens?'],
  [
    'the end of a token',
    () => plugins.httpApi({ tokens: [{ ...token, expire: '2027-01-31T00:00:00Z' }] } as never),
    'did you mean expires?',
  ],
  ['a host of the API', () => plugins.httpApi({ tcp: { hosts: '0.0.0.0', port: 1 } } as never), 'did you mean host?'],
  ['durability', () => plugins.level({ durabilty: 'process' } as never), 'did you mean durability?'],
  ['back-off', () => plugins.processes({ backoff: { frist: 1 } } as never), 'did you mean first?'],
  ['a pair of files', () => plugins.files([{ ...pair, chain: 'x' }] as never), 'there are certificate, key'],
  ['no object', () => plugins.backends(null as never), 'give an object, or nothing'],
])('a misspelt option is told what it may have been meant to be: %s', ([, make, fix]) => {
  expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', fix }))
})
