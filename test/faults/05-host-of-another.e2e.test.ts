import fc from 'fast-check'
import { expect } from 'vitest'
import { canonicalHost } from '../../lib/host.ts'
import { fqdnProxy, nameProxy, staticNode } from '../../plugins/index.ts'
import { backend } from '../kit/engine/cases.ts'
import { enginesWith, type OpenWith } from './engines.ts'
import { faultOn } from './fault.ts'
import { oldRoute } from './old-route.ts'
import { told } from './refused.ts'

const zone = 'gw.wild.test'
const start = async (open: OpenWith) => {
  const node = staticNode({ domain: zone, ipv4: '198.51.100.7', ipv6: '2001:db8::7' })
  const world = await open(node, fqdnProxy(), nameProxy())()
  const [owner, thief] = [await backend('owner'), await backend('thief')]
  const fqdn = (text: string) => told(world, { do: 'set-fqdn', id: '2-1-thief', fqdn: text, backends: [thief.url] })
  const name = (text: string) => told(world, { do: 'set-name', id: '2-1-thief', name: text, backends: [thief.url] })
  return { world, owner, thief, fqdn, name }
}

faultOn(
  5,
  "a host that another tenant has is not given away, in whatever spelling, and the gateway's own names are its own",
  enginesWith,
  async (open) => {
    const { world, owner, thief, fqdn, name } = await start(open)
    await using _old = await oldRoute(world)
    await world.set('1-1-a', 'shop.wild.test', [owner.url])
    await world.set('1-1-u', 'xn--bcher-kva.wild.test', [owner.url])
    expect(await told(world, { do: 'set-name', id: '1-1-n', name: 'mine', backends: [owner.url] })).toBe('ok')
    for (const [text, code] of [
      ['shop.wild.test', 'DOMAIN_TAKEN'],
      ['SHOP.wild.test', 'DOMAIN_TAKEN'],
      ['shop.wild.test.', 'DOMAIN_TAKEN'],
      ['Shop.Wild.TEST.', 'DOMAIN_TAKEN'],
      ['XN--bcher-KVA.wild.test', 'DOMAIN_TAKEN'],
      ['bücher.wild.test', 'INVALID_FQDN'],
      ['shop.wild.test..', 'INVALID_FQDN'],
      ['.shop.wild.test', 'INVALID_FQDN'],
      ['shop。wild.test', 'INVALID_FQDN'],
      ['ｓhop.wild.test', 'INVALID_FQDN'],
      ['*.wild.test', 'INVALID_FQDN'],
      ['198.51.100.7', 'INVALID_FQDN'],
      ['[2001:db8::7]', 'INVALID_FQDN'],
      ['2001:db8::7', 'INVALID_FQDN'],
      ['0x7f.1', 'INVALID_FQDN'],
      [`${'a'.repeat(64)}.wild.test`, 'INVALID_FQDN'],
      [`${'a.'.repeat(126)}test`, 'INVALID_FQDN'],
      [`mine.${zone}`, 'DOMAIN_MANAGED'],
      [`MINE.${zone}.`, 'DOMAIN_MANAGED'],
      [`other.${zone}`, 'DOMAIN_MANAGED'],
      [`deep.er.${zone}`, 'DOMAIN_MANAGED'],
      [`_acme-challenge.${zone}`, 'INVALID_FQDN'],
      ['_acme-challenge.shop.wild.test', 'INVALID_FQDN'],
      [zone, 'DOMAIN_MANAGED'],
    ] as const)
      expect([text, await fqdn(text)]).toEqual([text, expect.stringMatching(new RegExp(`^${code}: `))])
    for (const [text, code] of [
      ['mine', 'DOMAIN_TAKEN'],
      ['MINE', 'DOMAIN_TAKEN'],
      ['mine.', 'INVALID_NAME'],
      ['a.b', 'INVALID_NAME'],
      ['_acme-challenge', 'INVALID_NAME'],
      ['', 'INVALID_NAME'],
    ] as const)
      expect([text, await name(text)]).toEqual([text, expect.stringMatching(new RegExp(`^${code}: `))])
    expect((await world.get('shop.wild.test')).text).toBe('owner')
    expect((await world.get(`shop.wild.test`, '/', { Host: 'SHOP.wild.test.' })).text).not.toBe('thief')
    expect(thief.requests).toEqual([])
    // What only looks alike is another name.
    expect(await fqdn(`evil${zone}`)).toBe('ok')
    expect(await fqdn('_shop.wild.test')).toBe('ok')
    expect(await fqdn('-shop-.wild.test')).toBe('ok')
  },
)

faultOn(
  5,
  'whatever is taken for the host of another is refused, and whatever is taken at all has one spelling',
  enginesWith,
  async (open) => {
    const { world, owner, fqdn } = await start(open)
    await using _old = await oldRoute(world)
    await world.set('1-1-a', 'shop.wild.test', [owner.url])
    const spelt = fc
      .array(fc.boolean(), { minLength: 14, maxLength: 14 })
      .map((upper) => [...'shop.wild.test'].map((letter, at) => (upper[at] ? letter.toUpperCase() : letter)).join(''))
    const near = fc.oneof(
      spelt,
      fc.tuple(spelt, fc.constantFrom('.', '..', ' ', '\0', '\u200b', ':443', '%2e')).map(([text, end]) => text + end),
    )
    await fc.assert(
      fc.asyncProperty(near, async (text) => {
        const said = await fqdn(text)
        expect(said).toMatch(canonicalHost(text) === undefined ? /^INVALID_FQDN: / : /^DOMAIN_TAKEN: /)
      }),
      { numRuns: 200 },
    )
    expect((await world.get('shop.wild.test')).text).toBe('owner')
  },
)
