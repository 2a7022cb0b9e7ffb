import { beforeAll, describe, expect, test } from 'vitest'
import type { Certificate } from '../../../../core/index.ts'
import { Certificates } from '../../../../plugins/engine/embedded/certificates.ts'
import { createAuthority, type Pair } from '../../../kit/index.ts'

let pairs: readonly Pair[]
beforeAll(async () => {
  const authority = await createAuthority()
  pairs = await Promise.all([authority.issue(['one.test']), authority.issue(['two.test'])])
})
const made = (id: string, names: readonly string[], of = 0, days = 30): Certificate => {
  const { chain, key, notBefore } = pairs[of]!
  return { id, resolver: 'x', names, chain, key, notBefore, notAfter: new Date(Date.now() + days * 86_400_000) }
}
const installed = (certificates: readonly Certificate[], most = 10) => {
  const all = new Certificates(most, 'TLSv1.2')
  all.install(certificates)
  return all
}

describe('the installed certificates', () => {
  test('are found by exact name first, then by the wildcard of one label', () => {
    const [wild, exact] = [made('wild', ['*.a.test']), made('exact', ['x.a.test'])]
    const all = installed([wild, exact])
    expect(['x.a.test', 'y.a.test', 'a.test', 'z.y.a.test', 'test'].map((host) => all.find(host)?.id)).toEqual([
      'exact',
      'wild',
      undefined,
      undefined,
      undefined,
    ])
  })

  test('go when the next list is without them, and are told of when new or changed', () => {
    const [one, two] = [made('one', ['one.test']), made('two', ['two.test'])]
    const all = installed([one])
    expect(all.install([one, two])).toEqual([two])
    expect(all.install([one, two])).toEqual([])
    const renewed = made('one', ['one.test'], 1)
    expect(all.install([renewed, two])).toEqual([renewed])
    expect(all.find('one.test')).toBe(renewed)
    expect(all.install([two])).toEqual([])
    expect([all.find('one.test'), all.find('two.test')]).toEqual([undefined, two])
  })

  test('of two for one name serve the one that is good for longer', () => {
    const [short, long] = [made('short', ['a.test'], 0, 5), made('long', ['a.test'], 1, 50)]
    expect(installed([short, long]).find('a.test')).toBe(long)
    expect(installed([long, short]).find('a.test')).toBe(long)
  })

  test('have a context from the first handshake on, the ones used last, until they change', () => {
    const [a, b, c] = [made('a', ['a.test']), made('b', ['b.test'], 1), made('c', ['c.test'])]
    const all = installed([a, b, c], 2)
    expect(all.contexts).toBe(0)
    const first = all.context(a)
    expect(all.context(a)).toBe(first)
    all.context(b)
    all.context(a)
    all.context(c)
    expect(all.contexts).toBe(2)
    expect(all.context(a)).toBe(first)
    all.install([made('a', ['a.test'], 1), b, c])
    expect(all.context(made('a', ['a.test'], 1))).not.toBe(first)
  })

  test('that are broken throw at the handshake and not before', () => {
    const broken = { ...made('broken', ['a.test']), key: 'no key' }
    const all = installed([broken])
    expect(() => all.context(broken)).toThrow()
  })
})
