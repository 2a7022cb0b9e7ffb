import { describe, expect, it } from 'vitest'
import type { Route, WorkloadId } from '../../../../core/index.ts'
import { documentOf, type Shape } from '../../../../plugins/engine/traefik/document.ts'
import { yaml } from '../../../../plugins/engine/traefik/yaml.ts'

const shape: Shape = { issues: () => true, several: ['gateway-retry'], grpc: false }
const route = (id: string, host: string, backends: readonly string[], tls: Route['tls']): Route => ({
  id: id as WorkloadId,
  host,
  backends,
  passthrough: tls.mode === 'passthrough',
  tenant: id,
  tls,
})
const wildcard = { mode: 'terminate', resolver: 'dnsresolver', names: ['*.gent01.grid.tf'] } as const
const single = (name: string) => ({ mode: 'terminate', resolver: 'resolver', names: [name] }) as const

describe('the document of a route', () => {
  it('is the one that tools on nodes read, for a name', () => {
    expect(yaml(documentOf(route('40-1976-shop', 'shop.gent01.grid.tf', ['http://10.20.2.5:9000'], wildcard), shape))).toBe(`http:
  routers:
    40-1976-shop-route:
      rule: Host(\`shop.gent01.grid.tf\`)
      service: 40-1976-shop
      tls:
        certResolver: dnsresolver
        domains:
          - sans:
              - "*.gent01.grid.tf"
  services:
    40-1976-shop:
      loadBalancer:
        servers:
          - url: http://10.20.2.5:9000
`)
  })

  it('is the one that tools on nodes read, for a domain of the tenant', () => {
    const one = route('37-2039-test', 'example.org', ['http://10.20.2.7'], single('example.org'))
    expect(yaml(documentOf(one, shape))).toBe(`http:
  routers:
    37-2039-test-route:
      rule: Host(\`example.org\`)
      service: 37-2039-test
      tls:
        certResolver: resolver
        domains:
          - main: example.org
  services:
    37-2039-test:
      loadBalancer:
        servers:
          - url: http://10.20.2.7
`)
  })

  it.each([
    ['a name', 'shop.gent01.grid.tf', '10.20.2.7:443'],
    ['a domain of the tenant', 'example.org', 'https://10.20.2.7:443'],
  ])('is the one that tools on nodes read, for %s whose TLS is passed through', (_, host, backend) => {
    expect(yaml(documentOf(route('37-2039-test', host, [backend], { mode: 'passthrough' }), shape))).toBe(`tcp:
  routers:
    37-2039-test-route:
      rule: HostSNI(\`${host}\`)
      service: 37-2039-test
      tls:
        passthrough: "true"
  services:
    37-2039-test:
      loadBalancer:
        servers:
          - address: 10.20.2.7:443
`)
  })

  it('names no resolver where the gateway gets the certificate', () => {
    const one = route('1-1-a', 'a.example.org', ['http://10.0.0.1'], single('a.example.org'))
    expect(documentOf(one, { ...shape, issues: () => false }).http?.routers['1-1-a-route']?.tls).toEqual({})
  })

  it.each([
    ['a backtick', 'a`) || Host(`b.example.org'],
    ['a template', '{{env "HOME"}}.example.org'],
    ['upper case', 'A.example.org'],
    ['an address', '10.0.0.1'],
  ])('is refused for a host with %s', (_, host) => {
    expect(() => documentOf(route('1-1-a', host, ['http://10.0.0.1'], wildcard), shape)).toThrow('is no host name')
  })

  it('is refused for an id, a backend or a certificate name that nobody checked', () => {
    const good = route('1-1-a', 'a.example.org', ['http://10.0.0.1'], wildcard)
    expect(() => documentOf({ ...good, id: '../a' as WorkloadId }, shape)).toThrow('workload id')
    expect(() => documentOf({ ...good, backends: ['http://{{env "HOME"}}'] }, shape)).toThrow('backend')
    expect(() => documentOf({ ...good, tls: { ...wildcard, names: ['*.a`b.org'] } }, shape)).toThrow('certificate name')
  })

  it('never has a template command in it', () => {
    expect(() => yaml({ any: 'a {{ b }}' })).toThrow('template')
  })
})
