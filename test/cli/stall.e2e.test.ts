import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { childrenOf, stateOf } from './processes.ts'
import { ask, started } from './upgradable.ts'

/** A service that turns for ever once the gateway serves and a file is there: nothing else runs in its process any more. */
const spinning = `definePlugin({ name: 'service/spin', kind: 'service', setup: async ({ root }) => {
  const { existsSync, rmSync } = await import('node:fs')
  const timer = setInterval(() => { if (existsSync(root + '/spin')) { rmSync(root + '/spin'); for (;;); } }, 50)
  return { close: () => clearInterval(timer) }
} })`

describe('a gateway of --upgradable that stands still', () => {
  test('is killed and started again, and who connects meanwhile is served', async () => {
    const gateway = await started()
    const [pid = 0] = childrenOf(gateway.gateway.pid)
    process.kill(pid, 'SIGSTOP')
    await expect.poll(() => stateOf(pid), { timeout: 60_000 }).toBe('T')
    const waiting = ask(gateway, false)
    await gateway.gateway.until('has stood still for 15 s and is killed')
    expect(await waiting).toBe(5)
    expect(childrenOf(gateway.gateway.pid)).not.toContain(pid)
  })

  test('in a loop of its own is killed too, and SIGTERM ends the gateway meanwhile', async () => {
    const gateway = await started({ more: spinning })
    const file = join(gateway.root, 'spin')
    writeFileSync(file, '')
    await expect.poll(() => existsSync(file), { timeout: 60_000 }).toBe(false)
    gateway.gateway.signal('SIGTERM')
    expect(await gateway.gateway.ended).toBe(0)
    expect(gateway.gateway.stderr).toContain('has stood still')
  })
})
