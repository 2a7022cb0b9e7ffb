import type { Asked } from './caller.ts'

/** An operation that is refused, by the same code whichever way it comes. */
export interface BadInput {
  readonly what: 'set-fqdn' | 'set-name' | 'delete'
  readonly id: unknown
  readonly fields: Asked
  readonly code: string
}

const good = ['http://127.0.0.1:9000']
const id = (value: unknown, code = 'INVALID_ID'): BadInput => ({
  what: 'set-fqdn',
  id: value,
  fields: { fqdn: 'bad-id.test', backends: good },
  code,
})
const fqdn = (value: unknown, code = 'INVALID_FQDN'): BadInput => ({
  what: 'set-fqdn',
  id: '1-1-bad',
  fields: { fqdn: value, backends: good },
  code,
})
const name = (value: unknown, code = 'INVALID_NAME'): BadInput => ({
  what: 'set-name',
  id: '1-1-bad',
  fields: { name: value, backends: good },
  code,
})
const backends = (value: unknown, code = 'INVALID_BACKEND', passthrough?: unknown): BadInput => ({
  what: 'set-fqdn',
  id: '1-1-bad',
  fields: { fqdn: 'bad-backend.test', backends: value, ...(passthrough !== undefined && { passthrough }) },
  code,
})
const network = (value: unknown, code: string, workload = '1-1-bad'): BadInput => ({
  what: 'set-fqdn',
  id: workload,
  fields: { fqdn: 'bad-network.test', backends: good, network: value },
  code,
})

export const badInput: Readonly<Record<string, BadInput>> = {
  'an empty id': id(''),
  'an id that is a number': id(7, 'BAD_REQUEST'),
  'no id': id(undefined),
  'an id that is a path': id('../x'),
  'an id with a slash': id('a/b'),
  'an id with a blank': id('a b'),
  'an id with a dot': id('x.yaml'),
  'an id with a NUL': id('a\0b'),
  'an id with a line break': id('a\nb'),
  'an id of 129 letters': id('x'.repeat(129)),
  'an id that is not ASCII': id('é'),
  'an id to delete that is a path': { what: 'delete', id: '../x', fields: {}, code: 'INVALID_ID' },

  'no fqdn': fqdn(undefined),
  'an empty fqdn': fqdn(''),
  'an fqdn that is a number': fqdn(7, 'BAD_REQUEST'),
  'an fqdn that is a list': fqdn(['a.test'], 'BAD_REQUEST'),
  'an fqdn of one label': fqdn('test'),
  'an fqdn with an empty label': fqdn('a..test'),
  'an fqdn with a label of 64 letters': fqdn(`${'x'.repeat(64)}.test`),
  'an fqdn of 254 letters': fqdn(`${'x.'.repeat(125)}test`),
  'an fqdn that is an IPv4 address': fqdn('192.0.2.7'),
  'an fqdn that is an IPv6 address': fqdn('2001:db8::1'),
  'an fqdn with a backtick': fqdn('a`) || Host(`b.test'),
  'an fqdn with a template': fqdn('{{ env "PATH" }}.test'),
  'an fqdn with a line break': fqdn('a.test\nb.test'),
  'an fqdn with a path': fqdn('a.test/x'),
  'an fqdn with a port': fqdn('a.test:80'),
  'an fqdn with a star': fqdn('*.a.test'),
  'an fqdn that is not ASCII': fqdn('é.test'),
  'an fqdn with a line separator': fqdn('a\u2028.test'),
  'an fqdn under _acme-challenge': fqdn('_acme-challenge.a.test'),
  "the gateway's own domain": fqdn('gw.test', 'DOMAIN_MANAGED'),
  "a name under the gateway's domain": fqdn('X.GW.Test.', 'DOMAIN_MANAGED'),

  'no name': name(undefined),
  'an empty name': name(''),
  'a name that is a number': name(7, 'BAD_REQUEST'),
  'a name of two labels': name('a.b'),
  'a name of 64 letters': name('x'.repeat(64)),
  'a name with a blank': name('a b'),
  'a name with a star': name('*'),
  'a name that is not ASCII': name('é'),
  'the name _acme-challenge': name('_acme-challenge'),

  'no backends': backends(undefined),
  'an empty list of backends': backends([]),
  'backends that are text': backends('http://127.0.0.1:9000', 'BAD_REQUEST'),
  'a backend that is a number': backends([7], 'BAD_REQUEST'),
  'an empty backend': backends(['']),
  'a thousand backends': backends(Array.from({ length: 1_000 }, (_, at) => `http://127.0.0.1:${at + 1}`)),
  'a backend without a scheme where TLS ends here': backends(['127.0.0.1:443']),
  'an http backend for passthrough': backends(['http://127.0.0.1:80'], 'INVALID_BACKEND', true),
  'forms of both modes': backends(['http://127.0.0.1:80', '127.0.0.1:443'], 'INVALID_BACKEND', true),
  'a backend with another scheme': backends(['ftp://127.0.0.1:21']),
  'a backend that is a name': backends(['http://web.test']),
  'a backend with a user': backends(['http://user@127.0.0.1']),
  'a backend with a path': backends(['http://127.0.0.1/path']),
  'a backend with a query': backends(['http://127.0.0.1?x']),
  'a backend in decimal': backends(['http://2130706433']),
  'a backend in hexadecimal': backends(['http://0x7f.0.0.1']),
  'a backend in octal': backends(['http://0177.0.0.1']),
  'a backend in short': backends(['http://127.1']),
  'a backend with leading zeros': backends(['http://127.000.000.001']),
  'a backend with port 0': backends(['http://127.0.0.1:0']),
  'a backend with port 65536': backends(['http://127.0.0.1:65536']),
  'a backend with a zone': backends(['http://[fe80::1%25eth0]:80']),
  'a link-local backend': backends(['http://169.254.169.254'], 'BACKEND_FORBIDDEN'),
  'a link-local backend for passthrough': backends(['169.254.169.254:443'], 'BACKEND_FORBIDDEN', true),
  'a multicast backend': backends(['http://224.0.0.1'], 'BACKEND_FORBIDDEN'),
  'passthrough that is text': backends(['127.0.0.1:443'], 'BAD_REQUEST', 'yes'),

  'a network with a blank': network('a b', 'BAD_REQUEST'),
  'a network that is a number': network(7, 'BAD_REQUEST'),
  'a network of nobody': network('net', 'INVALID_ID', 'nobody'),
  'a network where none can be reached': network('net', 'NETWORK_UNSUPPORTED'),
}
