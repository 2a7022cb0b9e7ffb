import { describe, expect, test } from 'vitest'
import { GatewayError } from '../../../../core/index.ts'
import { embedded } from '../../../../plugins/engine/embedded/index.ts'
import { readOptions } from '../../../../plugins/engine/embedded/options.ts'

describe('the options of the embedded engine', () => {
  test.each<[string, unknown, string]>([
    ['a name that is none', { htps: {} }, 'htps'],
    ['a limit that is none', { limits: { headersBytes: 1 } }, 'limits.headersBytes'],
    ['a port out of range', { https: { port: 70_000 } }, 'https.port'],
    ['a port as text', { http: { port: '80' } }, 'http.port'],
    ['a longer drain than the gateway waits', { drain: 31 }, 'drain'],
    ['a negative limit', { limits: { idleSeconds: -1 } }, 'limits.idleSeconds'],
    ['no time for a handshake', { limits: { handshakeSeconds: 0 } }, 'limits.handshakeSeconds'],
    ['a proxy by name', { trustedProxies: ['proxy.test'] }, 'trustedProxies'],
    ['a network that is none', { trustedProxies: ['10.0.0.0/33'] }, 'trustedProxies'],
    ['an old TLS version', { tls: { minVersion: 'TLSv1' } }, 'tls.minVersion'],
    ['a health path that is none', { health: { path: 'healthz' } }, 'health.path'],
    ['a PROXY version that is none', { proxyProtocol: { passthrough: 'v3' } }, 'proxyProtocol.passthrough'],
    ['a host that is no text', { https: { host: 5 } }, 'https.host'],
    ['an empty host', { http: { host: '' } }, 'http.host'],
    ['a CA by its path', { backends: { ca: '/etc/ssl/ca.pem' } }, 'backends.ca'],
    [
      'a CA that cannot be read',
      { backends: { ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' } },
      'backends.ca',
    ],
    ['an object that is none', { limits: 5 }, 'limits'],
  ])('refuse %s where the line stands, by its name', (_what, options, name) => {
    const refused = () => embedded(options as never)
    expect(refused).toThrow(GatewayError)
    expect(refused).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(name) }))
  })

  test('guess what a wrong name was meant to be', () => {
    expect(() => embedded({ acessLog: 'stdout' } as never)).toThrow(expect.objectContaining({ fix: 'did you mean accessLog?' }))
  })

  test('know a trusted proxy by address and by network, in both IP versions', () => {
    const { trusts } = readOptions({ trustedProxies: ['192.0.2.7', '10.0.0.0/8', '2001:db8::/32'] })
    expect(['192.0.2.7', '10.255.0.1', '2001:db8::9'].map(trusts)).toEqual([true, true, true])
    expect(['192.0.2.8', '11.0.0.1', '2001:db9::1'].map(trusts)).toEqual([false, false, false])
    expect(readOptions({}).trusts('127.0.0.1')).toBe(false)
  })

  test('expect PROXY headers of trusted proxies only, of everyone where none are named', () => {
    const named = readOptions({ proxyProtocol: { inbound: true }, trustedProxies: ['10.0.0.1'] })
    expect([named.proxied('10.0.0.1'), named.proxied('10.0.0.2')]).toEqual([true, false])
    expect(readOptions({ proxyProtocol: { inbound: true } }).proxied('10.0.0.2')).toBe(true)
    expect(readOptions({ trustedProxies: ['10.0.0.1'] }).proxied('10.0.0.1')).toBe(false)
  })
})
