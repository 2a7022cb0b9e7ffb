import { expect, onTestFinished } from 'vitest'
import { DnsWriter, definePlugin } from '../../core/index.ts'
import { type FakeDns, http1 } from '../kit/index.ts'
import { backend, domain, verified, world } from '../plugins/engine/traefik-issues-parts.ts'
import { faultOn } from './fault.ts'
import { underLoad } from './old-route.ts'

/** A DNS provider that writes into the DNS of the world, once it is `well`; before that it never answers. */
const ailing = (dns: FakeDns, state: { well: boolean; asked: number }) =>
  definePlugin({
    name: 'dns-provider/ailing',
    kind: 'dns-provider',
    provides: { dns: DnsWriter },
    setup: () => {
      dns.delegate(`_acme-challenge.${domain}`)
      return {
        api: {
          dns: {
            present: (name, value) => {
              state.asked++
              if (!state.well) return new Promise<void>(() => undefined)
              dns.addTxt(name, value)
              return Promise.resolve()
            },
            cleanup: async (name, value) => dns.removeTxt(name, value),
          },
        },
      }
    },
  })

faultOn(
  20,
  'a DNS provider that hangs while Traefik calls: the hook ends in time, Traefik logs why, and the next try works',
  { traefik: world },
  async (world) => {
    const state = { well: false, asked: 0 }
    const at = await world((_, dns) => [ailing(dns, state)])
    const to = await backend()
    const host = 'shop.example.net'
    await at.set('SetFQDNProxy', '900-1-old', host, [to], false)
    const old = await underLoad({ host, text: 'from the backend', connect: async () => http1(await verified(at, host)) })
    onTestFinished(old.undisturbed)
    await at.set('SetNamedProxy', '1-1-shop', 'shop', [to], false)
    await expect
      .poll(at.said, { timeout: 60_000, interval: 200 })
      .toMatch(/Unable to obtain ACME certificate.*exec: .*exit status 5/)
    expect(at.log.join('\n')).toContain('the DNS provider did not carry it out within 9 s')
    expect(state.asked).toBeGreaterThan(0)

    state.well = true
    await at.set('SetNamedProxy', '1-2-blog', 'blog', [to], false)
    const socket = await verified(at, `blog.${domain}`)
    expect(socket.getPeerCertificate().subjectaltname).toBe(`DNS:*.${domain}`)
    socket.destroy()
  },
)
