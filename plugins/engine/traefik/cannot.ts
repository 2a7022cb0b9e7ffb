const noIssue = 'no upstream issue known'
const early =
  "Go's HTTP/1 server does not write an answer while a request is read (golang/go#40747), and Traefik does not ask for it (golang/go#57786)"
const quiet = 'it answers so, and says why in its own log at level DEBUG only, on purpose (traefik/traefik#9500)'
const flooded = 'Go ends it only when ten thousand answers wait to be sent (golang/go#33606)'
const byHost = 'Traefik routes by Host alone, on purpose (traefik/traefik#7039)'
const stays =
  'Traefik closes no connection of a service that is gone, on purpose (traefik/traefik#9455); it ends with Traefik or its peers'
const atEnd = 'Traefik counts a request when it is over, and not where it broke off (as in its access log: traefik/traefik#10807)'

/** What the conformance suite asks and Traefik does not do, by the sentence of the suite. On the day when it can, the suite says so. */
export const cannot: Readonly<Record<string, string>> = {
  'answers 204 to HTTP/1.1 and HTTP/2 where the backend says how long it is':
    'Go passes the length on, and clients by nghttp2 break the stream off (nghttp2/nghttp2#2873)',
  'passes trailers on, of requests and of answers':
    'Traefik drops the trailers of requests on purpose (traefik/traefik#13383); those of answers come through',
  'passes an early answer on while the request is still being sent': early,
  'loses no byte that comes with the switch, from either side':
    'Go loses what a client sends in one piece with its Upgrade request (golang/go#80875)',
  'verifies the certificate of an https backend where an authority is configured':
    'it is verified, and the answer is 500 where the suite wants 502 (traefik/traefik#11580 has it so)',
  'answers 421 where SNI and Host disagree': byHost,
  'answers 421 to an HTTP/2 client that coalesces hosts, and goes on serving its own': byHost,
  'refuses request heads that two servers could read in two ways; the backend sees nothing':
    'Go takes Transfer-Encoding over Content-Length (golang/go#65505) and unfolds folded fields (RFC 9112 sections 6.3 and 5.2 allow both), and takes chunks of HTTP/1.0 for no body; the backend gets one clean request',
  'refuses requests without one plain target, CONNECT and TRACE; the backend sees nothing':
    'Go looks at the letters of a Host field only (golang/go#11206): it takes one whose port is no number, and passes it on',
  'breaks off requests whose chunks are broken; nothing behind them is served':
    'Go takes a trailer with a blank in its name, and drops it (golang/go#81143)',
  'refuses HTTP/2 streams that would be something else in HTTP/1.1; the backend sees nothing':
    'Go begins to pass a stream on before it sees that its length is wrong (golang/go#72144), and drops a host field that differs from :authority (golang/go#80065)',
  'gives no client the rest of a body that the backend did not read': `${early}; no client gets what is another's`,
  'answers 502 where the backend refuses the connection, and names the workload in the log': quiet,
  'answers 502 where the backend speaks no HTTP, or half of it':
    'the answer is 500 where what came is no HTTP (traefik/traefik#11569 has it so for no TLS)',
  'answers 504 where the backend takes too long to answer, and serves others meanwhile': quiet,
  'takes no more connections than allowed, and takes one again when one has ended':
    'Traefik has no limit of connections (traefik/traefik#739)',
  'ends a connection that floods with PING': flooded,
  'ends a connection that floods with SETTINGS': flooded,
  'serves on whatever an h2c backend answers, to callers over HTTP/1.1 and HTTP/2':
    'Traefik passes hints (status 103) on without end: who passes them on has to count them (golang/go#65035); other tenants are served on',
  'serves on whatever trailers a caller sends to an h2c backend': atEnd,
  'says removed as soon as the last request is over, not at the deadline':
    'Traefik does not tell how many requests of a service run (traefik/traefik#11006)',
  'cuts a download that outlasts the deadline, on HTTP/1.1 and HTTP/2, and says removed': stays,
  'cuts nobody else when a deadline comes': stays,
  'ends idle connections without a reset, those never used too, before the deadline':
    'those never used are closed at the deadline (as of golang/go#22682)',
  'writes one JSON line a request, with workload, host, method, path, status and client':
    "Traefik's access log says the same under names of its own (ServiceName, RequestHost, DownstreamStatus and so on)",
  'counts what came through of an answer that the client leaves': atEnd,
  'counts what came through of an answer that the backend breaks off': atEnd,
  'counts what came through of a request that the client breaks off': `Traefik counts the page of its own status 499, which nobody gets, as 21 bytes answered: ${noIssue}`,
  'counts an open transfer while it runs': atEnd,
  'counts on, and loses nothing, where a workload is set again while its old connections drain': atEnd,
}
