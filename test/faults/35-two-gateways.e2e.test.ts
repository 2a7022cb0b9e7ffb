import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { faultOn } from './fault.ts'
import { processStand } from './process-stand.ts'

const each = { embedded: 'embedded', traefik: 'traefik' } as const

faultOn(
  35,
  'a second gateway on the root ends and says which process holds it, and the first serves on',
  each,
  async (engine) => {
    const at = await processStand(engine)
    const first = at.start()
    await first.until('is up')
    await using _old = await at.oldRoute()
    for (let tries = 0; tries < 3; tries++) {
      const second = at.start()
      expect(await second.ended).toBe(5)
      expect(second.stderr).toMatch(new RegExp(`^gateway: BUSY: [^\n]*${first.pid}[^\n]*\n$`, 'm'))
    }
    expect((await at.call('GET', '/v1/workloads/900-1-old')).status).toBe(200)
  },
)

faultOn(35, 'what a killed gateway left holds nothing: the next one starts, and serves', each, async (engine) => {
  const at = await processStand(engine)
  const first = at.start()
  await first.until('is up')
  await using old = await at.oldRoute()
  first.signal('SIGKILL')
  await first.ended
  // As young as a file can be: age says nothing, the lock does.
  const lock = join(at.root, 'state', 'LOCK')
  writeFileSync(lock, readFileSync(lock))
  utimesSync(lock, new Date(), new Date())
  const second = at.start()
  await second.until('is up')
  await old.servesAgain()
  expect((await at.call('GET', '/v1/workloads/900-1-old')).status).toBe(200)
})

faultOn(35, 'of several that start at once one serves, and the others say who', each, async (engine) => {
  const at = await processStand(engine)
  const all = Array.from({ length: 3 }, at.start)
  const up = await Promise.any(all.map((one) => one.until('is up').then(() => one)))
  await using _old = await at.oldRoute()
  for (const one of all)
    if (one !== up) {
      expect(await one.ended).toBe(5)
      expect(one.stderr).toContain('gateway: BUSY: ')
    }
})
