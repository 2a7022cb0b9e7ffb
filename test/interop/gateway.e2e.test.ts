import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { beforeAll, describe, expect, it } from 'vitest'
import { anyTls } from '../core/parts.ts'
import { gateway, newRoot, plain, redis } from '../plugins/transport/zbus-parts.ts'
import { buildGo, jsonOf } from './go.ts'

// A Redis of today, and one as old as those of nodes are.
const brokers: [string, string[]][] = [
  ['with BLMOVE', []],
  ['without BLMOVE and LMOVE', ['--rename-command', 'BLMOVE', '', '--rename-command', 'LMOVE', '']],
]

let caller: string
beforeAll(async () => {
  caller = await buildGo(new URL('.', import.meta.url), 'caller')
})

describe.each(brokers)('Go callers on a Redis %s', (_, args) => {
  const start = async () => {
    const server = await redis(args)
    const running = await gateway(server.broker.unix, newRoot(), { more: [anyTls()] })
    const ask = (what: string, ...flags: string[]) =>
      jsonOf(caller, ['-broker', server.broker.unix, '-socket', server.path, ...flags, what])
    return { server, running, ask }
  }

  it.each(['manager', 'gateway'])('call every method of %s in both forms', async (object) => {
    const { ask, running } = await start()
    expect(await ask('forms', '-object', object)).toEqual({
      names: ['one.gw.example.org', 'two.gw.example.org'],
      metrics: { Request: {}, Response: {} },
    })
    expect([...running.routes.all()].map(({ id, host, backends }) => [id, host, backends])).toEqual([
      ['40-1976-one', 'one.gw.example.org', ['http://10.1.2.3:9000', 'http://10.1.2.4']],
      ['40-1976-two', 'two.gw.example.org', ['http://10.1.2.3']],
      ['37-2039-three', 'three.org', ['10.1.2.3:443']],
    ])
  })

  it('get refusals as errors of the call and never panic', async () => {
    const { ask } = await start()
    expect(await ask('refusals')).toEqual([
      expect.stringContaining('INVALID_BACKEND: backends list can not be empty'),
      'invalid number of arguments expecting 2 got 1',
      'invalid argument type [0] expecting string got',
      'invalid argument type [2] expecting []string got',
      expect.stringContaining('INVALID_FQDN: fqdn a b is invalid'),
      'invalid number of arguments expecting 0 got 2',
    ])
  })

  it('read the status', async () => {
    const { ask } = await start()
    expect(await ask('status')).toMatchObject({
      objects: [
        { Name: 'manager', Version: '0.0.1' },
        { Name: 'gateway', Version: '0.0.1' },
      ],
      workers: Array.from({ length: 64 }, () => ({ state: 'free', time: expect.stringMatching(/^20/) })),
    })
  })

  it('are served sixteen at once', async () => {
    const { ask, running } = await start()
    const names = await ask('crowd', '-callers', '16', '-each', '20')
    expect(new Set([...running.routes.all()].map(({ host }) => host))).toEqual(new Set(names as string[]))
    expect(running.routes.size).toBe(160)
  })

  it('get every status they ask for while they keep the gateway busy', async () => {
    const { ask } = await start()
    const { passed, failed } = (await ask('health', '-callers', '32', '-each', '40')) as { passed: number; failed: string[] }
    expect(failed).toEqual([])
    expect(passed).toBeGreaterThan(0)
  })

  it('are served on after requests that are none', async () => {
    const { ask, server } = await start()
    expect(await ask('malformed')).toEqual({
      id: 'id-1',
      trailing: expect.stringContaining('BAD_REQUEST: malformed request: more bytes follow the request'),
      after: 'after.gw.example.org',
    })
    const client = plain(server.path)
    await expect.poll(() => client.llen('gateway.deadletter')).toBe(7)
  })

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'find all that they asked for after Redis restarts under them (%s)',
    async (signal) => {
      const { server, running } = await start()
      const child = spawn(caller, ['-broker', server.broker.unix, '-callers', '8', '-each', '40', 'patient'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
      expect((await lines.next()).value).toBe('asking')
      for (let restarts = 0; restarts < 3; restarts++) {
        await expect.poll(() => running.routes.size, { timeout: 30_000 }).toBeGreaterThan(restarts * 80)
        await server.restart(signal)
      }
      const { names } = JSON.parse((await lines.next()).value ?? '') as { names: string[] }
      if (child.exitCode === null) await once(child, 'exit')
      expect(child.exitCode).toBe(0)
      expect(new Set([...running.routes.all()].map(({ host }) => host))).toEqual(new Set(names))
      expect(running.routes.size).toBe(320)
    },
  )
})
