import { expect, it } from 'vitest'
import type { TraefikOptions } from '../../../../plugins/engine/traefik/options.ts'
import { readOptions } from '../../../../plugins/engine/traefik/settings.ts'
import { staticConfig } from '../../../../plugins/engine/traefik/static-config.ts'
import { warnings } from '../../../../plugins/engine/traefik/version.ts'
import { yaml } from '../../../../plugins/engine/traefik/yaml.ts'

it.each<[string, unknown, string]>([
  ['an option that there is none of', { keepserving: true }, 'did you mean keepServing?'],
  ['an API that others could reach', { api: { host: '0.0.0.0' } }, 'give a loopback address'],
  ['a host that is no address', { https: { host: 'example.org' } }, 'give an IP address'],
  ['a port that is none', { http: { port: 0 } }, 'give a number from 1 to 65535'],
  ['one port for two', { http: { port: 8443 }, https: { port: 8443 } }, 'give each its own port'],
  ['the port of the relay for all addresses', { https: { port: 8084 } }, 'give each its own port'],
  ['a CA that is no URL', { acme: { caServer: 'letsencrypt' } }, "give the CA's directory"],
  ['a network that is none', { trustedProxies: ['10.0.0.0/40'] }, 'give addresses or networks'],
  ['an issuer that is none', { issue: 'nobody' }, 'give one of traefik, gateway'],
  ['a drain over the limit', { drain: 60 }, 'give a number from 0 to 30'],
  ['a CA of backends by its path', { backends: { ca: '/etc/ssl/ca.pem' } }, 'give the PEM itself'],
  ['a health path that is none', { health: { path: 'x' } }, 'give one such as /healthz'],
])('refuses %s at the config line', (_, options, fix) => {
  expect(() => readOptions(options as TraefikOptions)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  const error = (() => {
    try {
      return readOptions(options as TraefikOptions)
    } catch (thrown) {
      return thrown
    }
  })()
  expect(error).toMatchObject({ fix: expect.stringContaining(fix) })
})

it('takes one port twice on two addresses', () => {
  const { http, https } = readOptions({ http: { host: '10.0.0.1', port: 8443 }, https: { host: '10.0.0.2', port: 8443 } })
  expect([http.port, https.port]).toEqual([8443, 8443])
})

const folders = { proxy: '/var/cache/modules/gateway/proxy', state: '/var/cache/modules/gateway/traefik' }

it('writes the static configuration of a node', async () => {
  const settings = readOptions({ acme: { email: 'ops@example.org' } })
  await expect(yaml(staticConfig(settings, folders, [3, 6, 15]))).toMatchFileSnapshot('static.golden.yaml')
})

it('writes for an old version only what that one knows', () => {
  const text = (version: readonly [number, number, number]) => yaml(staticConfig(readOptions({}), folders, version))
  const since = { maxHeaderBytes: [3, 2, 0], sanitizePath: [3, 3, 6], encodedCharacters: [3, 6, 3] } as const
  for (const [key, version] of Object.entries(since)) {
    expect(text(version)).toContain(key)
    expect(text([3, 0, 0])).not.toContain(key)
  }
})

it('gives Traefik no resolver where the gateway gets the certificates', () => {
  expect(staticConfig(readOptions({ issue: 'gateway' }), folders, [3, 6, 15])).not.toHaveProperty('certificatesResolvers')
})

it('warns by name of the holes of an old version, and of none in the one that tests run on', () => {
  expect(warnings([3, 6, 15])).toEqual([])
  expect(warnings([3, 6, 7])).toEqual([expect.stringContaining('GHSA-89p3-4642-cr2w')])
  expect(warnings([3, 0, 0])).toHaveLength(3)
})
