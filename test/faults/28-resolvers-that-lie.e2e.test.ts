import { expect } from 'vitest'
import { pointsHere, staticNode } from '../../plugins/index.ts'
import { backend } from '../kit/engine/cases.ts'
import { defer } from '../kit/engine/world.ts'
import { nameServer, type Said } from '../plugins/policy/name-server.ts'
import { enginesWith } from './engines.ts'
import { faultOn } from './fault.ts'
import { oldRoute } from './old-route.ts'
import { told } from './refused.ts'

const here = { ipv4: '198.51.100.7', ipv6: '2001:DB8:0::7' }
/** What is said of a domain, and what a refusal names; `undefined`: it is taken. */
const said: Readonly<Record<string, readonly [Said, string | undefined]>> = {
  'four.test': [['198.51.100.7'], undefined],
  'six.test': [['2001:db8::7'], undefined],
  'both.test': [['198.51.100.7', '2001:db8::7'], undefined],
  'several.test': [['192.0.2.1', '198.51.100.7'], undefined],
  'elsewhere.test': [['192.0.2.1'], '192.0.2.1'],
  'six-elsewhere.test': [['2001:db8::8'], '2001:db8::8'],
  'mapped.test': [['::ffff:198.51.100.8'], '198.51.100.8'],
  'empty.test': [[], 'neither an A nor an AAAA record'],
  'gone.test': ['NXDOMAIN', 'NXDOMAIN'],
  'failed.test': ['SERVFAIL', 'SERVFAIL'],
  'refused.test': ['REFUSED', 'REFUSED'],
  'loop.test': ['cname-loop', 'neither an A nor an AAAA record'],
  'silent.test': ['silence', 'no name server answered for silent.test in time'],
}
/** Nobody could say where these point, which is no fault of the caller. */
const unanswered = new Set(['failed.test', 'refused.test', 'silent.test'])

faultOn(
  28,
  'a domain that does not point here, or of which nobody says so, is refused with what was seen',
  enginesWith,
  async (open) => {
    const server = await nameServer({
      ...Object.fromEntries(Object.entries(said).map(([host, [says]]) => [host, says])),
      'old.tenant.test': ['198.51.100.7'],
    })
    defer(server.close)
    const world = await open(
      staticNode({ domain: 'gw.test', ...here }),
      pointsHere({ resolvers: [server.address], timeout: 10 }),
    )()
    await using _old = await oldRoute(world)
    const web = await backend('web')
    for (const [at, [host, [, seen]]] of Object.entries(said).entries()) {
      const answer = await told(world, { do: 'set-fqdn', id: `1-${at}-d`, fqdn: host, backends: [web.url] })
      expect([host, answer]).toEqual([
        host,
        seen === undefined ? 'ok' : expect.stringMatching(unanswered.has(host) ? /^DNS_UNAVAILABLE: / : /^DNS_MISMATCH: /),
      ])
      if (seen) expect(answer).toContain(seen)
    }
  },
)

faultOn(
  28,
  'a domain that points here for the check and elsewhere behind it takes no request along',
  enginesWith,
  async (open) => {
    const answers: { 'turn.test': Said; 'old.tenant.test': Said } = {
      'turn.test': ['198.51.100.7'],
      'old.tenant.test': ['198.51.100.7'],
    }
    const server = await nameServer(answers)
    defer(server.close)
    const world = await open(
      staticNode({ domain: 'gw.test', ...here }),
      pointsHere({ resolvers: [server.address], timeout: 10 }),
    )()
    await using _old = await oldRoute(world)
    const [web, victim] = [await backend('web'), await backend('victim')]
    const set = () => told(world, { do: 'set-fqdn', id: '1-1-t', fqdn: 'turn.test', backends: [web.url] })
    expect(await set()).toBe('ok')
    // Backends are addresses: nothing is looked up again, whatever the name says now.
    answers['turn.test'] = ['127.0.0.1']
    expect((await world.get('turn.test')).text).toBe('web')
    expect(victim.requests).toEqual([])
    expect(await set()).toMatch(/^DNS_MISMATCH: /)
    expect((await world.get('turn.test')).text).toBe('web')
  },
)
