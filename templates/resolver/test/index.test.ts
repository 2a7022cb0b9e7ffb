import { expect, test } from 'vitest'
import { createAuthority, describeResolver } from 'zos-gateway/test-kit'
import { sampleResolver } from '../src/index.ts'

/** A CA in memory, in the place of yours. */
const authority = await createAuthority('sample')

describeResolver('resolver/sample', {
  resolver: () => sampleResolver({ domain: 'example.org', issue: (names) => authority.issue(names) }),
  takes: [{ host: 'shop.example.org' }, { host: 'a.b.example.org' }],
  leaves: [{ host: 'shop.example.net' }, { host: 'evilexample.org' }],
  refuses: ['shop.example.net'],
  trust: () => authority.root,
})

test('refuses an empty domain where it is written', () =>
  expect(() => sampleResolver({ domain: '', issue: (names) => authority.issue(names) })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  ))
