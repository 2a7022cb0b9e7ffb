import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test, vi } from 'vitest'
import { startAcmeWorld } from '../../kit/index.ts'
import { serve } from './acme-parts.ts'

/** A thousand, or as many as are asked for: `ACME_MANY=100`. */
const count = Number(process.env.ACME_MANY ?? 1_000)
vi.setConfig({ testTimeout: 900_000 })

test(`${count} domains each get a certificate of their own, each is served, and none takes more than 64 KiB`, async () => {
  const world = await startAcmeWorld({ nonceReject: 0 })
  world.dns.set('*.example', { A: ['127.0.0.1'] })
  const served = await serve(world, { acme: { parallel: 16 } })
  try {
    setFlagsFromString('--expose-gc')
    const gc: () => void = runInNewContext('gc')
    const held = () => {
      gc()
      return process.memoryUsage().rss
    }
    const hosts = Array.from({ length: count }, (_, n) => `d${n}.example`)
    await Promise.all(hosts.map((host, n) => served.fqdn(host, { id: `${n % 50}-${n}-many` })))
    const states = () => served.gateway.certificates.list().filter(({ state }) => state === 'ready').length
    await expect.poll(states, { timeout: 800_000, interval: 500 }).toBe(count)
    expect(world.faults.orders()).toBe(count)

    const ca = await world.pebble.root()
    const before = held()
    for (const host of hosts) expect(await served.seen(host, ca)).toMatchObject({ names: `DNS:${host}` })
    const each = (held() - before) / count / 1_024
    expect(each).toBeLessThan(64)
  } finally {
    await served.close()
    await world.close()
  }
})
