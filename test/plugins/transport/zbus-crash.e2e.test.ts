import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { createClient } from '../../../lib/zbus/index.ts'
import { anyTls } from '../../core/parts.ts'
import { gateway, manager, newRoot, plain, redis } from './zbus-parts.ts'

const [workloads, most, kills] = [12, 60, 8]
/** So that the callers end with different operations. */
const operationsOf = (n: number) => most - n
const all = Array.from({ length: workloads }, (_, n) => operationsOf(n)).reduce((sum, each) => sum + each)

/** Starts the gateway's process again whenever it is killed, until the test ends. */
const keepRunning = (broker: string, root: string) => {
  const program = fileURLToPath(new URL('zbus-process.ts', import.meta.url))
  let child: ChildProcess
  let wanted = true
  const start = () => {
    child = spawn(process.execPath, ['--conditions=source', program, broker, root], { stdio: ['ignore', 'ignore', 'inherit'] })
    child.once('exit', () => wanted && start())
  }
  start()
  const end = async () => {
    wanted = false
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  onTestFinished(end)
  return { kill: () => child.kill('SIGKILL'), end }
}

it('answers every request, and keeps what it answered, though it is killed again and again under load', async () => {
  const server = await redis()
  const root = newRoot()
  const process = keepRunning(server.broker.unix, root)
  const client = createClient({ broker: server.broker.unix })
  onTestFinished(client.close)

  let answered = 0
  let killed = 0
  const call = async (method: string, ...args: unknown[]) => {
    const result = await client.call('gateway', manager, method, args, { timeout: 120_000 })
    answered++
    if (killed < kills && answered >= (all * (killed + 1)) / (kills + 1)) {
      killed++
      process.kill()
    }
    return result
  }
  /** One caller: each operation waits for the answer to the one before, as provision does. Ends with what it set last. */
  const caller = async (n: number) => {
    let set: string | undefined
    for (let step = 0; step < operationsOf(n); step++) {
      const id = `${n + 1}-1-w`
      if (step % 5 === 4) {
        await call('DeleteNamedProxy', id)
        set = undefined
      } else {
        set = `http://10.0.${n}.${step}`
        expect(await call('SetNamedProxy', id, { Backends: [set], Name: `n${n}` })).toBe(`n${n}.gw.example.org`)
      }
    }
    return set
  }
  const last = await Promise.all(Array.from({ length: workloads }, (_, n) => caller(n)))
  expect(killed).toBe(kills)
  await expect.poll(() => plain(server.path).keys('gateway.*')).toEqual([expect.stringMatching(/guard$/)])
  await process.end()

  const after = await gateway(server.broker.unix, root, { more: [anyTls()] })
  expect(Object.fromEntries([...after.routes.all()].map(({ id, backends }) => [id, backends[0]]))).toEqual(
    Object.fromEntries(last.flatMap((backend, n) => (backend === undefined ? [] : [[`${n + 1}-1-w`, backend]]))),
  )
  expect(last.filter((backend) => backend === undefined).length).toBeGreaterThan(0)
})
