import { mkdirSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { gatewayProcess } from '../cli/gateway-process.ts'
import { eventually } from '../kit/engine/cases.ts'
import { freePort } from '../kit/port.ts'
import { tempRoot } from '../kit/root.ts'
import { configText } from '../torture/config.ts'
import { ask } from '../torture/http-caller.ts'
import { power } from '../torture/power.ts'
import { torture } from '../torture/torture.ts'
import { fault, faultOn } from './fault.ts'
import { processStand } from './process-stand.ts'

fault(
  1,
  'fifty kills under load, of the gateway and of Redis, lose no acknowledged operation and bring no deleted route back',
  async () => {
    const seed = Date.now() % 1_000_000
    const { violations, answered } = await torture({ kills: 50, seed })
    expect(violations, `seed ${seed}`).toEqual([])
    // Far fewer and the callers were not heard, which proves nothing.
    expect(answered).toBeGreaterThan(200)
  },
)

faultOn(
  1,
  'routes are served throughout by who carries them in a process of its own, and again once the gateway is back where it does',
  { embedded: 'embedded', traefik: 'traefik' } as const,
  async (engine) => {
    const at = await processStand(engine)
    let gateway = at.start()
    await gateway.until('is up')
    await using old = await at.oldRoute()
    for (let kills = 0; kills < 3; kills++) {
      gateway.signal('SIGKILL')
      await gateway.ended
      const before = old.served
      // Nobody but Traefik is there.
      if (engine === 'traefik') await eventually(() => expect(old.served).toBeGreaterThan(before + 5))
      gateway = at.start()
      await gateway.until('is up')
      if (engine === 'embedded') await old.servesAgain()
    }
  },
)

fault(1, 'power cuts, which take what was not synced, lose nothing either', async () => {
  const seed = Date.now() % 1_000_000
  const { violations, lost } = await torture({ kills: 20, seed, powerCuts: true })
  expect(violations, `seed ${seed}`).toEqual([])
  expect(lost).toBeGreaterThan(0)
})

for (const [durability, status] of [
  ['power', 200],
  ['process', 404],
] as const)
  fault(
    1,
    `what was acknowledged right before a power cut, with durability ${durability}, answers ${status} after it`,
    async () => {
      const folder = tempRoot('cut')
      onTestFinished(() => folder.remove())
      const [root, config] = [join(folder.path, 'root'), join(folder.path, 'gateway.config.mts')]
      mkdirSync(root, { mode: 0o700 })
      writeFileSync(
        config,
        configText({ http: await freePort(), https: await freePort(), api: 0, relay: 0, dns: 0 }, '', durability),
      )
      const mains = power(folder.path)
      const start = () =>
        gatewayProcess(['--root', root, '--config', config], { cwd: folder.path, env: { ...process.env, ...mains.env } })
      const call = (method: string, body?: object) =>
        ask(new Agent(), join(root, 'gateway.sock'), method, '/v1/workloads/1-1-a', body)
      {
        await using gateway = start()
        await gateway.until('is up')
        expect((await call('PUT', { name: 'a', backends: ['http://127.0.0.1:9000'] })).status).toBe(201)
        gateway.signal('SIGKILL')
        await gateway.ended
      }
      mains.cut(root)
      await using again = start()
      await again.until('is up')
      expect((await call('GET')).status).toBe(status)
    },
  )
