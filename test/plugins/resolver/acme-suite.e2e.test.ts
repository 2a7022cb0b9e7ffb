import { acme, dnsResolver, embedded, httpResolver, staticNode } from '../../../plugins/index.ts'
import { type AcmeWorld, describeAcmeResolver } from '../../kit/index.ts'

const domain = 'gw.example.org'
const beside = (world: AcmeWorld) => [
  staticNode({ ipv4: '127.0.0.1', domain }),
  acme(world.acme),
  world.writer(),
  embedded({ http: { port: world.http }, https: { port: world.https }, drain: 1 }),
]

describeAcmeResolver('resolver/http', {
  resolver: () => httpResolver(),
  beside,
  takes: [{ host: 'shop.example.net' }, { host: 'example.com' }],
  leaves: [{ host: `shop.${domain}`, zone: domain }],
})

describeAcmeResolver('resolver/dns', {
  resolver: () => dnsResolver({ apex: true }),
  beside,
  takes: [
    { host: `shop.${domain}`, zone: domain },
    { host: `blog.${domain}`, zone: domain },
  ],
  leaves: [{ host: 'shop.example.net' }],
})
