import { describe, expect, it } from 'vitest'
import { type NodeFacts, type Op, type PublicConfig, parseOperation, type WorkloadId } from '../../../core/index.ts'
import { fqdnProxy, nameProxy } from '../../../plugins/index.ts'
import { setUpAlone } from '../../kit/index.ts'

const node = (config: PublicConfig | undefined): { node: NodeFacts } => ({ node: { publicConfig: () => config } })
const gent = { ipv4: '198.51.100.7', domain: 'gent01.grid.tf' }
const never = new AbortController().signal

const fqdn = async (host: string, given: object, id = '40-1976-shop') => {
  const { hooks } = await setUpAlone(fqdnProxy(), '/nowhere', given)
  const op = parseOperation({ do: 'set-fqdn', id, fqdn: host, backends: ['http://192.0.2.7'] })
  return hooks.resolve['set-fqdn']?.(op as Op<'set-fqdn'>, never)
}
const name = async (label: string, given: object, id = '40-1976-shop') => {
  const { hooks } = await setUpAlone(nameProxy(), '/nowhere', given)
  const op = parseOperation({ do: 'set-name', id, name: label, backends: ['http://192.0.2.7'] })
  return hooks.resolve['set-name']?.(op as Op<'set-name'>, never)
}

describe('workload/fqdn-proxy', () => {
  it('gives the draft of the domain, for the tenant that the id names', async () => {
    const draft = await fqdn('example.org', node(gent))
    expect(draft).toEqual({
      id: '40-1976-shop' as WorkloadId,
      host: 'example.org',
      tenant: '40',
      backends: ['http://192.0.2.7'],
      passthrough: false,
    })
    expect(Object.isFrozen(draft)).toBe(true)
  })
  it('counts an id without a twin for itself', async () =>
    expect(await fqdn('example.org', node(gent), 'shop')).toMatchObject({ tenant: 'shop' }))
  it.each(['gent01.grid.tf', 'shop.gent01.grid.tf', 'a.b.GENT01.grid.tf.'])('refuses %s, which is the gateway’s', async (host) =>
    expect(fqdn(host, node({ ...gent, domain: 'GENT01.grid.tf.' }))).rejects.toMatchObject({
      code: 'DOMAIN_MANAGED',
      message: expect.stringContaining("can't create a fqdn workload with a subdomain of the gateway's managed domain"),
    }),
  )
  it.each(['evilgent01.grid.tf', 'grid.tf', 'gent01.grid.tf.example.org'])('takes %s, which is not', async (host) =>
    expect(await fqdn(host, node(gent))).toMatchObject({ host }),
  )
  it('takes any domain where the gateway has none', async () =>
    expect(await fqdn('example.org', node({ ipv4: '198.51.100.7' }))).toMatchObject({ host: 'example.org' }))
  it.each([
    ['without a public config', node(undefined)],
    ['without a plugin that knows the node', {}],
  ])('refuses %s', async (_, given) => expect(fqdn('example.org', given)).rejects.toMatchObject({ code: 'NO_PUBLIC_CONFIG' }))
})

describe('workload/name-proxy', () => {
  it('gives the draft of the name under the domain', async () =>
    expect(await name('shop', node({ ...gent, domain: 'Gent01.Grid.TF.' }))).toEqual({
      id: '40-1976-shop' as WorkloadId,
      host: 'shop.gent01.grid.tf',
      zone: 'gent01.grid.tf',
      tenant: '40',
      backends: ['http://192.0.2.7'],
      passthrough: false,
    }))
  it.each([
    ['without a domain', node({ ipv4: '198.51.100.7' })],
    ['without a public config', node(undefined)],
    ['without a plugin that knows the node', {}],
  ])('refuses %s', async (_, given) =>
    expect(name('shop', given)).rejects.toMatchObject({
      code: 'NO_DOMAIN',
      message: "node doesn't support name proxy (doesn't have a domain)",
    }),
  )
  it('refuses a name that makes the host too long', async () => {
    const domain = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example.org`
    await expect(name('x'.repeat(63), node({ domain }))).rejects.toMatchObject({ code: 'INVALID_NAME' })
  })
})
