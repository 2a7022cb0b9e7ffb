import { expect } from 'vitest'
import { backends, staticNode } from '../../plugins/index.ts'
import { idOf } from '../kit/engine/world.ts'
import { forbidden, forms } from '../plugins/policy/forbidden.ts'
import { enginesWith } from './engines.ts'
import { faultOn } from './fault.ts'
import { oldRoute } from './old-route.ts'
import { told } from './refused.ts'

const own = { ipv4: '198.51.100.7', ipv6: '2001:db8::7' }
const node = () => staticNode({ domain: 'gw.example.org', ...own })
/** Where the old route's backend is: the one address that is let through. */
const place = { host: '127.0.0.77' }

faultOn(
  3,
  'a backend that tenants have no business with is refused in every form, and its kind is named',
  enginesWith,
  async (open) => {
    const world = await open(node(), backends({ allow: [place.host] }))()
    await using _old = await oldRoute(world, place)
    const table = [...forbidden, ...Object.values(own).map((ip) => [ip, "the node's own public IP address"] as const)]
    for (const [ip, named] of table)
      for (const [form, passthrough] of forms(ip)) {
        const said = await told(world, { do: 'set-fqdn', id: '1-1-a', fqdn: 'a.test', backends: [form], passthrough })
        expect([form, passthrough, said]).toEqual([form, passthrough, expect.stringMatching(/^BACKEND_FORBIDDEN: /)])
        expect(said).toContain(named)
      }
    // One of several is enough.
    const both = ['http://1.1.1.1', 'http://169.254.169.254']
    expect(await told(world, { do: 'set-fqdn', id: '1-1-a', fqdn: 'a.test', backends: both })).toMatch(/^BACKEND_FORBIDDEN/)
    expect([...world.gateway.routes.all()].map(({ id }) => id)).toEqual(['900-1-old'])
  },
)

faultOn(
  3,
  'private addresses are taken where the operator of the node allows them, and what they carry is looked at',
  enginesWith,
  async (open) => {
    const world = await open(node(), backends({ private: true, allow: ['200::/7', '400::/7', place.host] }))()
    await using _old = await oldRoute(world, place)
    for (const [ip, taken] of [
      ['10.20.2.5', true],
      ['172.16.3.4', true],
      ['192.168.1.1', true],
      ['100.64.0.1', true],
      ['[200:1::1]', true],
      ['[400::1]', true],
      ['127.0.0.1', false],
      ['[2002:7f00:1::1]', false],
      ['169.254.169.254', false],
    ] as const) {
      const wanted = { id: idOf('1-1-a'), fqdn: 'a.test', backends: [`http://${ip}`] }
      const { problems } = await world.gateway.plan({ do: 'set-fqdn', passthrough: false, ...wanted })
      expect([ip, problems.map(({ code }) => code)]).toEqual([ip, taken ? [] : ['BACKEND_FORBIDDEN']])
    }
  },
)
