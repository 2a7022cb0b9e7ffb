import type { Engine } from '../engines.ts'

const cleaned = 'the backend gets it clean, as one request, by the one way in which Go read it:'

/** What an engine lets through that the others refuse, by the group of payloads, each with the reason. None of it arrives twice or in two ways. */
export const knownOf: Readonly<Record<Engine, Readonly<Record<string, string>>>> = {
  embedded: {},
  traefik: {
    'CL.TE and TE.CL': `${cleaned} Transfer-Encoding over Content-Length (RFC 9112 section 6.3)`,
    'older versions': `${cleaned} a coding of HTTP/1.0 as no body, and later versions of HTTP/1 as 1.1`,
    'line ends': `${cleaned} a bare LF as the end of a line (RFC 9112 section 2.2)`,
    'folded lines': `${cleaned} folded lines as one (RFC 9112 section 5.2)`,
    hosts: `${cleaned} a port that is none, as it came`,
    'request lines': `${cleaned} a target without a slash, and a URL with a user or another scheme, by its path`,
    'CONNECT, TRACE': `${cleaned} what follows a refused CONNECT as the client's next request`,
    extensions: `${cleaned} extensions of chunks dropped, whatever bytes they hold`,
    'trailers that are none': `${cleaned} trailers that are none dropped`,
    'upgrades to HTTP/2': `${cleaned} an Upgrade to h2 as none`,
    'H2.CL': `${cleaned} a length where there is no body, as no length`,
    authorities: `${cleaned} a port that is none, as it came`,
    'two hosts': `${cleaned} :authority over Host (RFC 9113 section 8.3.1)`,
    paths: 'Traefik normalizes paths on purpose (RFC 3986 section 6.2.2): %2e becomes a dot, other bytes are escaped',
    'paths that begin oddly': 'as with paths',
    'bytes in paths': 'as with paths',
    'challenges, almost': 'as with paths',
  },
}
