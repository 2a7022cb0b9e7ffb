import { expect, test } from 'vitest'
import { dnsmasq, responder } from '../../../plugins/index.ts'
import { http1 } from '../../kit/index.ts'
import { dnsmasqPath } from '../../kit/programs.ts'
import { backend, domain, verified, world } from './traefik-issues-parts.ts'

test.each([
  ['responder', (port: number) => [responder({ addresses: ['127.0.0.1'], port })]],
  ['dnsmasq', (port: number) => [dnsmasq({ addresses: ['127.0.0.1'], port, command: dnsmasqPath() })]],
] as const)('Traefik issues by both resolvers, its DNS challenges written by %s', async (_, provider) => {
  const at = await world(provider)
  const to = await backend()
  expect(await at.set('SetNamedProxy', '1-1-shop', 'shop', [to], false)).toBe(`shop.${domain}`)
  await at.set('SetFQDNProxy', '1-2-own', 'shop.example.net', [to], false)

  const named = await verified(at, `shop.${domain}`)
  const { subjectaltname, serialNumber } = named.getPeerCertificate()
  expect(subjectaltname).toBe(`DNS:*.${domain}`)
  const whole = await verified(at, 'shop.example.net')
  expect(whole.getPeerCertificate().subjectaltname).toBe('DNS:shop.example.net')
  for (const [socket, host] of [
    [named, `shop.${domain}`],
    [whole, 'shop.example.net'],
  ] as const) {
    expect((await http1(socket).request('GET /', { Host: host })).text).toBe('from the backend')
    socket.destroy()
  }

  // The wildcard that is there serves a second name.
  expect(await at.set('SetNamedProxy', '2-3-blog', 'blog', [to], false)).toBe(`blog.${domain}`)
  const second = await verified(at, `blog.${domain}`)
  expect(second.getPeerCertificate().serialNumber).toBe(serialNumber)
  second.destroy()
})
