import { createHash } from 'node:crypto'
import type { Certificate } from '../../../core/index.ts'
import { probeHost, probePath, probeRouter } from './api.ts'
import { challengeFolder } from './challenges.ts'
import { relayField } from './relay/upgrades.ts'
import type { Settings } from './settings.ts'
import { apiPasswordOf, apiUser, relayTokenOf } from './token.ts'

/** The document beside those of the workloads, for what all share. No workload id has a dot in it. */
export const sharedName = 'gateway.shared'
/** By a hash: an id may have whatever a resolver puts in it. */
export const certificateName = ({ id }: Certificate): string =>
  `certificate.${createHash('sha256').update(id).digest('hex').slice(0, 32)}`

/** Tries the next of several backends where one could not be reached. */
export const retryMiddleware = 'gateway-retry'
export const bodyMiddleware = 'gateway-body'
/** Drops what a client says of itself in fields that Traefik does not look at. */
export const forwardedMiddleware = 'gateway-forwarded'

/** `Forwarded` (RFC 7239), and the spellings that CGI-like backends take for X-Forwarded-* (RFC 3875 section 4.1.18). */
const forwarded = [
  'Forwarded',
  'X_Real_Ip',
  'X-Real_Ip',
  'X_Real-Ip',
  ...['For', 'Host', 'Port', 'Prefix', 'Proto', 'Server'].flatMap((name) => [
    `X_Forwarded_${name}`,
    `X-Forwarded_${name}`,
    `X_Forwarded-${name}`,
  ]),
]

/** The router of http-01 challenges that the gateway answers. */
const challengeName = 'gateway.challenges'
/** Requests for another protocol, of all hosts. */
const upgrades = 'gateway.upgrades'
/** How Traefik speaks to the relay: it says who the client is. */
export const relayTransport = 'gateway-relay'

/** Traefik's own API, for the gateway alone. */
const apiName = 'gateway.api'
/** As htpasswd writes it; the password is random, so one round is enough, and each request costs one. */
const shaOf = (password: string): string => `{SHA}${createHash('sha1').update(password).digest('base64')}`

const refuse = 'gateway-refuse'
/** An address that no connection comes from (RFC 919). */
const nobody = '255.255.255.255/32'
const highest = 1_000_000

/** What all routes share, and the router by which the gateway sees which configuration is served. `challenges`: the URL that answers http-01. */
export const sharedDocument = (settings: Settings, token: string, generation: number, challenges?: string): object => ({
  http: {
    routers: {
      [probeRouter]: probe(token, generation, 'gateway-probe'),
      [apiName]: { entryPoints: ['traefik'], rule: 'PathPrefix(`/api`)', service: 'api@internal', middlewares: [apiName] },
      // HTTP/2 without TLS would hide requests from a proxy (RFC 9113 section 3.1 dropped it); CONNECT and TRACE are for no backend.
      'gateway.refuse': {
        entryPoints: ['web-secure'],
        rule: 'HeaderRegexp(`Upgrade`, `(?i)h2c`) || Method(`CONNECT`) || Method(`TRACE`)',
        priority: highest,
        service: 'noop@internal',
        middlewares: [refuse],
        tls: {},
      },
      // Traefik does not count what follows an upgrade, nor cut it when its route goes: the relay does both.
      ...(settings.relayPort !== undefined && {
        [upgrades]: {
          entryPoints: ['web-secure'],
          rule: 'HeaderRegexp(`Upgrade`, `.`) && HeaderRegexp(`Connection`, `(?i)(^|,) *upgrade *(,|$)`) && Method(`GET`)',
          priority: highest - 1,
          service: upgrades,
          middlewares: [upgrades],
          tls: {},
        },
      }),
      ...(challenges !== undefined && {
        [challengeName]: {
          entryPoints: ['web'],
          rule: `PathPrefix(\`${challengeFolder}\`)`,
          priority: highest,
          service: challengeName,
        },
      }),
    },
    ...services(settings, challenges),
    middlewares: {
      [retryMiddleware]: retry,
      [apiName]: { basicAuth: { users: [`${apiUser}:${shaOf(apiPasswordOf(token))}`], removeHeader: true } },
      [forwardedMiddleware]: { headers: { customRequestHeaders: Object.fromEntries(forwarded.map((name) => [name, ''])) } },
      [refuse]: { ipAllowList: { sourceRange: [nobody], rejectStatusCode: 400 } },
      ...(settings.relayPort !== undefined && {
        [upgrades]: { headers: { customRequestHeaders: { [relayField]: relayTokenOf(token) } } },
      }),
      ...(settings.limits.bodyBytes > 0 && {
        [bodyMiddleware]: { buffering: { maxRequestBodyBytes: settings.limits.bodyBytes } },
      }),
    },
  },
  tcp: {
    // Who does not begin with TLS there is nobody's client.
    routers: {
      'gateway.plain': { entryPoints: ['web-secure'], rule: 'HostSNI(`*`)', service: 'gateway.nowhere', middlewares: [refuse] },
    },
    services: { 'gateway.nowhere': { loadBalancer: { servers: [{ address: '127.0.0.1:1' }] } } },
    middlewares: { [refuse]: { ipAllowList: { sourceRange: [nobody] } } },
    // A client that has sent all may still wait for the answer: the relay decides. Without a transport named Traefik ends both sides.
    serversTransports: { [relayTransport]: { dialTimeout: '5s', terminationDelay: '-1s', proxyProtocol: { version: 2 } } },
  },
  tls: {
    options: {
      default: {
        minVersion: settings.minVersion === 'TLSv1.3' ? 'VersionTLS13' : 'VersionTLS12',
        ...(settings.strictSni && { sniStrict: true }),
      },
      'gateway-probe': { minVersion: 'VersionTLS12' },
    },
  },
})

/** What routes over HTTP share among them; the rest of what is shared stays in the file. */
export const sharedOverHttp = (token: string, generation: number): object => ({
  http: {
    routers: { [probeRouter]: probe(token, generation, 'gateway-probe@file') },
    middlewares: { [retryMiddleware]: retry },
  },
})

/** Traefik refuses an empty section. */
const services = ({ relayPort }: Settings, challenges: string | undefined) => {
  const all = {
    ...(relayPort !== undefined && { [upgrades]: sendTo(`http://127.0.0.1:${relayPort}`) }),
    ...(challenges !== undefined && { [challengeName]: sendTo(challenges) }),
  }
  return Object.keys(all).length > 0 && { services: all }
}
const sendTo = (url: string) => ({ loadBalancer: { servers: [{ url }] } })
const retry = { retry: { attempts: 4 } }
const probe = (token: string, generation: number, options: string) => ({
  rule: `Host(\`${probeHost}\`) && Path(\`${probePath(token, generation)}\`)`,
  service: 'ping@internal',
  tls: { options },
})

/** A certificate that the gateway got, inline: no other file is read for it. */
export const certificateDocument = ({ chain, key }: Certificate): object => ({
  tls: { certificates: [{ certFile: chain, keyFile: key }] },
})
