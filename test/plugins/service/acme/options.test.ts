import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { acme } from '../../../../plugins/index.ts'
import { readOptions } from '../../../../plugins/service/acme/options.ts'
import { tempRoot } from '../../../kit/index.ts'

const directories = (options: Parameters<typeof readOptions>[0]) =>
  readOptions(options)
    .authorities()
    .map(({ directory, limited }) => [new URL(directory).host, limited])

test('without options Let’s Encrypt is asked, within its limits; staging is one switch, without them', () => {
  expect(directories({})).toEqual([['acme-v02.api.letsencrypt.org', true]])
  expect(directories({ staging: true, authorities: ['google', 'zerossl'] })).toEqual([
    ['acme-staging-v02.api.letsencrypt.org', false],
  ])
})

test('CAs stand in the order of the list, by name or by directory', () => {
  const other = { directory: 'https://ca.example/dir', limits: 'letsencrypt' } as const
  expect(directories({ authorities: ['zerossl', other, 'letsencrypt'] })).toEqual([
    ['acme.zerossl.com', false],
    ['ca.example', true],
    ['acme-v02.api.letsencrypt.org', true],
  ])
})

test('each CA has its own e-mail, root and external account, the key of which may stand in a file', () => {
  const root = tempRoot('acme-options')
  onTestFinished(root.remove)
  const [trust, keyFile, key] = [join(root.path, 'trust.pem'), join(root.path, 'eab'), 'abcdefghijklmnopqrstuvwx']
  writeFileSync(trust, 'the PEM')
  writeFileSync(keyFile, `${key}\n`)
  const { authorities } = readOptions({
    email: 'ops@example.org',
    authorities: [
      { directory: 'https://a.example/dir', trust, eab: { id: 'kid', keyFile } },
      { directory: 'https://b.example/dir', email: 'b@example.org' },
    ],
  })
  expect(authorities()).toMatchObject([
    { email: 'ops@example.org', trust: 'the PEM', trustFile: trust, eab: { id: 'kid', key } },
    { email: 'b@example.org' },
  ])
})

test.each([
  [{ authorities: ['letsencrpyt'] }, "did you mean 'letsencrypt'?"],
  [{ authorities: [] }, 'give at least one'],
  [{ authorities: ['google', 'google'] }, 'keep one'],
  [{ authorities: [{ directory: 'http://ca.example/dir' }] }, "URL of the CA's ACME directory"],
  [{ authorities: [{ directory: 'https://ca.example/dir', trsut: 'x' }] }, 'did you mean authorities[0].trust?'],
  [{ email: 'nobody' }, 'ops@example.org'],
  [{ parallel: 0 }, 'from 1 to 1000'],
  [{ preflight: { here: 'yes' } }, 'true or false'],
  [{ nameServers: ['ns.example.org'] }, 'IP addresses'],
] as const)('acme(%j) is refused where it is written: %s', (options, fix) => {
  expect(() => acme(options as never)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', fix: expect.stringContaining(fix) }),
  )
})

test.each([
  [{ trust: '/nowhere/ca.pem' }, /trust cannot be read/],
  [{ eab: { id: 'kid', keyFile: '/nowhere/key' } }, /keyFile cannot be read/],
  [{ eab: { id: 'kid', key: 'short' } }, /is not base64url/],
  [{ eab: { id: '', key: 'abcdefghijklmnopqrstuvwx' } }, /id is missing/],
])('a file or key of a CA that is not right, %j, is told at the start and not shown', (more, said) => {
  const { authorities } = readOptions({ authorities: [{ directory: 'https://ca.example/dir', ...more }] })
  expect(authorities).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(said) }))
  expect(authorities).not.toThrow(/short/)
})
