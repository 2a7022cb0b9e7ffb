/** What the conformance suite asks and Traefik does not do, by the sentence of the suite. On the day when it can, the suite says so. */
export const cannot: Readonly<Record<string, string>> = {
  'passes trailers on, of requests and of answers':
    'Traefik drops the trailers of requests on purpose (traefik/traefik#13383); those of answers come through',
  'passes an early answer on while the request is still being sent':
    "Go's HTTP/1 server does not write an answer while a request is read (golang/go#40747)",
  'loses no byte that comes with the switch, from either side':
    'Go loses what a client sends in one piece with its Upgrade request (golang/go#80875)',
  'verifies the certificate of an https backend where an authority is configured':
    'it is verified, and the answer is 500 where the suite wants 502: no upstream issue known',
  'answers 421 where SNI and Host disagree': 'Traefik routes by Host alone, on purpose (traefik/traefik#7039)',
  'answers 421 to an HTTP/2 client that coalesces hosts, and goes on serving its own':
    'Traefik routes by Host alone, on purpose (traefik/traefik#7039)',
  'refuses request heads that two servers could read in two ways; the backend sees nothing':
    'Go takes Transfer-Encoding over Content-Length, unfolds folded fields (RFC 9112 sections 6.3 and 5.2 allow both) and passes chunks of HTTP/1.0 on as no body; the backend gets one clean request: no upstream issue known',
  'refuses requests without one plain target, CONNECT and TRACE; the backend sees nothing':
    'Go takes a Host field whose port is no number, and passes it on: no upstream issue known',
  'breaks off requests whose chunks are broken; nothing behind them is served':
    'Go takes a trailer with a blank in its name: no upstream issue known',
  'refuses HTTP/2 streams that would be something else in HTTP/1.1; the backend sees nothing':
    'Go begins to pass a stream on before it sees that its length is wrong, and drops a host field that differs from :authority: no upstream issue known',
  'gives no client the rest of a body that the backend did not read':
    "Go's HTTP/1 server does not write an answer while a request is read (golang/go#40747); no client gets anything of another's",
  'answers 502 where the backend refuses the connection, and names the workload in the log':
    'it answers so, and tells why in its own log at level DEBUG only: no upstream issue known',
  'answers 502 where the backend speaks no HTTP, or half of it':
    'Traefik answers 500 where what came is no HTTP: no upstream issue known',
  'answers 504 where the backend takes too long to answer, and serves others meanwhile':
    'it answers so, and tells why in its own log at level DEBUG only: no upstream issue known',
}
