import { describe, expect, test } from 'vitest'
import { openTcp } from '../kit/index.ts'
import { childrenOf, stateOf } from './processes.ts'
import { ask, started } from './upgradable.ts'

describe('a gateway that is killed', () => {
  test('is started again: whom it had not accepted is served, whoever connects meanwhile too, and nobody is refused', async () => {
    const gateway = await started()
    const [pid = 0] = childrenOf(gateway.gateway.pid)
    const talk = await gateway.webSocket()
    process.kill(pid, 'SIGSTOP')
    await expect.poll(() => stateOf(pid), { timeout: 60_000 }).toBe('T')
    // The system has accepted these, and nobody else.
    const waiting = await Promise.all(Array.from({ length: 10 }, () => openTcp({ port: gateway.https })))
    const early = waiting.map((socket) => ask(gateway, false, undefined, socket))
    process.kill(pid, 'SIGKILL')
    await gateway.gateway.until('the gateway ended with SIGKILL')
    const late = Array.from({ length: 10 }, () => ask(gateway, false))
    expect(await Promise.all([...early, ...late])).toEqual(Array.from({ length: 20 }, () => 5))
    // What it had accepted went with it, and its clients hear of that.
    await talk.http.closed
    await gateway.set('1-2-late', 'late')
  })

  test('again and again, at any point of its start, is there in the end', async () => {
    const gateway = await started()
    for (const milliseconds of [0, 100, 200, 300, 400, 500]) {
      await expect.poll(() => childrenOf(gateway.gateway.pid).length, { timeout: 60_000 }).toBe(1)
      const [pid = 0] = childrenOf(gateway.gateway.pid)
      await new Promise((done) => setTimeout(done, milliseconds))
      process.kill(pid, 'SIGKILL')
      await expect.poll(() => childrenOf(gateway.gateway.pid), { timeout: 60_000 }).not.toContain(pid)
    }
    expect(await ask(gateway, false)).toBe(5)
    await gateway.set('1-2-late', 'late')
  })
})
