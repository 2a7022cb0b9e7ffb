import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import type { Bytes } from '../../../core/index.ts'
import { freePort, tempRoot } from '../../kit/index.ts'

type Sums = ReadonlyMap<string, Bytes>
interface Message {
  readonly ready?: true
  readonly set?: true
  readonly report?: Sums
  readonly durable?: Sums
}

const until = <T>(child: ChildProcess, pick: (message: Message) => T | undefined) =>
  new Promise<T>((done, failed) => {
    const look = (message: Message) => {
      const picked = pick(message)
      if (picked === undefined) return
      child.off('message', look)
      done(picked)
    }
    child.on('message', look)
    child.once('close', () => failed(new Error('the gateway ended')))
  })
const start = async (root: string, port: number) => {
  const child = fork(new URL('./gateway.ts', import.meta.url), [root, String(port)], {
    execArgv: ['--conditions=source'],
    serialization: 'advanced',
  })
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'close')
    child.kill('SIGKILL')
    await gone
  }
  onTestFinished(kill)
  await until(child, ({ ready }) => ready)
  const report = async () => {
    const answer = until(child, (message) => message.report)
    child.send({})
    return (await answer).get('1-1-a') ?? { request: 0, response: 0 }
  }
  return { child, kill, report }
}
/** Sends 1,000 bytes and gets 5,000. */
const exchange = (port: number) =>
  new Promise<void>((done, failed) => {
    const sent = request({ host: '127.0.0.1', port, method: 'POST', headers: { host: 'a.gw.localhost' } }, (answer) => {
      answer.resume().once('end', () => done())
    })
    sent.once('error', failed).end(Buffer.alloc(1_000))
  })

it('keeps what was durable over a kill -9 of a gateway amid traffic, and counts on', async () => {
  const root = tempRoot('kill')
  onTestFinished(root.remove)
  const backend = createServer((asked, answer) => {
    asked.resume().once('end', () => answer.end(Buffer.alloc(5_000)))
  }).listen(0, '127.0.0.1')
  await once(backend, 'listening')
  onTestFinished(() => {
    backend.closeAllConnections()
    backend.close()
  })
  const port = await freePort()
  let gateway = await start(root.path, port)
  const set = until(gateway.child, (message) => message.set)
  gateway.child.send({ set: 'a', backend: `http://127.0.0.1:${(backend.address() as AddressInfo).port}` })
  await set

  let done = 0
  for (let round = 1; round <= 3; round++) {
    const before = await gateway.report()
    const durable = until(gateway.child, (message) => {
      const sum = message.durable?.get('1-1-a')
      return sum && sum.response >= before.response + 50_000 ? sum : undefined
    })
    for (let n = 0; n < 10; n++, done++) await exchange(port)
    const kept = await durable
    expect(await gateway.report()).toEqual({ request: before.request + 10_000, response: before.response + 50_000 })
    const more = Array.from({ length: 5 }, () => exchange(port).catch(() => undefined))
    await more[0]
    await gateway.kill()
    await Promise.all(more)

    gateway = await start(root.path, port)
    const after = await gateway.report()
    expect(after.response).toBeGreaterThanOrEqual(kept.response)
    expect(after.request).toBeGreaterThanOrEqual(kept.request)
    done += 5
    expect(after.response).toBeLessThanOrEqual(done * 5_000)
    expect(after.request).toBeLessThanOrEqual(done * 1_000)
  }
})
