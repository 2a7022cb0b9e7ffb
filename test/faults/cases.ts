/** The forty cases, most important first: what is done, and what has to come of it. */
export const cases: readonly (readonly [done: string, outcome: string])[] = [
  [
    'the gateway killed at random points, under Sets and Deletes',
    'nothing acknowledged is lost, nothing deleted comes back; what was not answered is carried out once; routes are served by those who carry them',
  ],
  ['a name that would be a rule, a template or a line more', 'refused; no file is written; what is written is what was meant'],
  [
    'backends at addresses that tenants have no business with',
    '`BACKEND_FORBIDDEN` with the kind of address named, for http and for passthrough',
  ],
  ['backends in odd spellings', "`INVALID_BACKEND`, exactly where Go's parsers refuse, and for userinfo, path and query"],
  [
    "a host that another tenant has, in other spellings, or the gateway's own",
    '`DOMAIN_TAKEN`, `DOMAIN_MANAGED` or `INVALID_FQDN`; its owner is served',
  ],
  ['workload ids that are paths', '`INVALID_ID`; nothing is written outside the folder'],
  ["a foreign or broken file among the engine's routes", 'moved aside and told; the next change of others is live'],
  ['a crash at any moment of a write, readers meanwhile', 'a reader sees the old or the new, never a part'],
  [
    'a disk that is full or read-only',
    '`STORAGE`; memory, disk and engine agree; keys and certificates stay; it goes on once there is room',
  ],
  [
    'one host ended here and passed through; two hosts on one connection',
    '`DOMAIN_TAKEN`; another host on a connection gets 421 and reaches nobody',
  ],
  ['requests that two servers read in two ways', 'refused and closed; the backend sees one request or none'],
  ['CONNECT, TRACE, upgrades to anything; early answers', 'refused; no client gets the answer to another'],
  [
    'a broker that restarts, cuts, is slow or away',
    'the gateway connects again; an operation is carried out or not, never told failed and carried out later',
  ],
  ['the same request, Set or Delete twice', 'the same answer; success; backends change without a gap'],
  ['Set and Delete of one workload at once, and a long backlog', 'carried out in their order; what was asked last is what is'],
  [
    'broken, deep and huge messages over zbus',
    'answered where they can be read, else counted; the Go client never panics; memory stays flat',
  ],
  [
    'a certificate authority that is down, slow, full or talks nonsense',
    'certificates are served on; the state says when the next try is; limits are kept',
  ],
  ['several challenges of one name at once', 'all values in one answer; cleanup takes its own; all orders end well'],
  ['hostile arguments to the DNS hook', 'data, never commands; refused with exit code 2'],
  ['a hook that hangs, and no gateway behind it', 'it ends within 10 s with an error; the next try works'],
  [
    'dnsmasq crashed, refused, upgraded; its port taken',
    'the one that runs is kept; the error names who has the port; no orphan',
  ],
  [
    'Traefik in a crash loop, its state damaged',
    'started again at growing intervals; the status says why; its certificates come back',
  ],
  ['clients that are slow, idle or stall', 'closed within the limits; others are served'],
  ['floods over HTTP/2', 'the connection ends; others are served; memory stays flat'],
  ['the HTTP/2 conformance tests', 'none failed'],
  ['a tenant whose certificates always fail', 'checked before any order; its share is bounded; others get theirs'],
  [
    'a domain that points here after its workload is gone, claimed by another',
    'told; the earlier certificate and key never serve another tenant',
  ],
  ['resolvers that lie, fail or loop', '`DNS_MISMATCH` with what was seen, or `DNS_UNAVAILABLE`, in time'],
  ['fields that say who the client is, sent by the client', 'replaced, the same on every engine'],
  ['paths that could be read in two ways', 'passed byte for byte or refused; challenge paths answer known tokens alone'],
  ['clocks that jump', 'timers go on; no storm of renewals; a skew is told'],
  ['damaged state at the start', 'set aside and named; the rest is served; of two owners the first stays'],
  [
    'ten thousand routes, a thousand tenants, steady change',
    'served; one tenant has limits; the short way and the long way agree',
  ],
  ['a stop or reload under long requests', 'no request fails; connections are told; the deadline holds'],
  ['two gateways on one root; what a dead one left', 'the second says who holds it; the dead one holds nothing'],
  ['line breaks and secrets in what is logged', 'escaped; no secret in any log'],
  ['open modes and planted links', 'private files; links are not followed; refuses to start where others could read'],
  ['attacks on the HTTP API', '401, 403, 413, 400 or 429'],
  [
    'odd labels, ten thousand series, engines that come and go',
    'empty, not an error, while no engine runs; sums never go backwards',
  ],
  [
    'dependencies and binaries that were tampered with',
    'locked; install scripts for a named few; the Traefik that runs is named',
  ],
]

/** Cases that have no test yet, a line each. */
export const missing: readonly number[] = []
