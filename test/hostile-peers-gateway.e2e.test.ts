import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { ask, started } from './cli/upgradable.ts'
import { hostilePeers } from './kit/hostile-peers.ts'

// As in hostile-peers.e2e.test.ts: whatever a peer sends ends at most its own flow.

test('the gateway and the parent of --upgradable, on every port and unix socket', { timeout: 240_000 }, async () => {
  const up = await started()
  const { pid } = await up.status()
  const talk = await up.webSocket()
  const flag = (name: string) => Number(up.flags[up.flags.indexOf(name) + 1])
  for (const name of ['--http', '--https', '--api']) await hostilePeers({ port: flag(name), host: '127.0.0.1' })
  const sockets = readdirSync(up.root).filter((name) => name.endsWith('.sock'))
  expect(sockets).toEqual(expect.arrayContaining(['gateway.sock', 'parent.sock']))
  for (const name of sockets.filter((name) => name !== 'parent.sock')) await hostilePeers({ path: join(up.root, name) })
  await ask(up, false)
  await talk.send('still')
  expect((await talk.next()).data.toString()).toBe('still')
  expect((await up.status()).pid).toBe(pid)
  await hostilePeers({ path: join(up.root, 'parent.sock') })
  // The parent still does what it is there for.
  const next = await vi.waitFor(() => up.upgrade(), { timeout: 60_000, interval: 500 })
  expect(next).not.toBe(pid)
  await ask(up, false)
})
