import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { CallError, createClient, createServer, Float32, ProtocolError } from '../../lib/zbus/index.ts'
import { redis } from '../plugins/transport/zbus-parts.ts'
import { buildGo } from './go.ts'

const shapes = { name: 'shapes', version: '1.0' }
let program: string
beforeAll(async () => {
  program = await buildGo(new URL('.', import.meta.url), 'module')
})

/** A Go program on a broker of its own that has said `ready`. */
const start = async (...args: string[]) => {
  const { broker } = await redis()
  const child = spawn(program, ['-broker', broker.unix, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  expect((await lines.next()).value).toBe('ready')
  const client = createClient({ broker: broker.unix })
  onTestFinished(client.close)
  const call = (method: string, ...args: unknown[]) => client.call('theirs', shapes, method, args)
  return { broker: broker.unix, client, call, lines }
}

it('the client calls methods of a Go server and decodes what they give', async () => {
  const { call } = await start()
  expect(await call('Nothing')).toBeNull()
  expect(await call('Add', 2, 2 ** 40)).toBe(2n ** 40n + 2n)
  expect(await call('Both', 'abc')).toEqual(['abc', 3n])
  expect(await call('Sum', 1, 0.5, 2.25)).toBe(3.75)
  const at = new Date(1_700_000_000_123)
  const record = {
    ID: 2n ** 64n - 1n,
    Small: 7,
    Balance: -(2n ** 40n),
    Share: 0.5,
    Name: 'ä',
    Tags: ['a'],
    Raw: Buffer.of(1, 2),
    At: at,
  }
  expect(await call('Echo', record)).toEqual({ ...record, Next: null })
})

it('the client speaks float32, maps with keys that are no text, and text that is no UTF-8 with a Go server', async () => {
  const { call } = await start()
  expect(await call('Half', new Float32(3))).toBe(1.5)
  expect(await call('Names')).toEqual({ 7: 'seven' })
  expect(await call('Sizes', new Map([[7, 'seven']]))).toBe(5n)
  expect(await call('Bytes')).toEqual(Buffer.of(0xff, 0xfe))
  expect(await call('Sum', 1, ...Array.from({ length: 200 }, () => 0.5))).toBe(101)
  await expect(call('Add', 2 ** 53, 1)).rejects.toThrow('give a bigint')
  await expect(call('Add', 2n ** 64n, 1)).rejects.toThrow('64 bits')
})

it('the client tells the error of a method from the error of zbus', async () => {
  const { call } = await start()
  await expect(call('Fails', 'no way')).rejects.toThrow(new CallError('no way'))
  await expect(call('Nope')).rejects.toThrow(new ProtocolError('not a function'))
  await expect(call('Add', 'a', 1)).rejects.toThrow(ProtocolError)
})

it('the client has many calls under way at once, and gives up at its deadline', async () => {
  const { client, call } = await start()
  const slow = Array.from({ length: 8 }, () => call('Slow', 50))
  expect(await Promise.all(slow)).toEqual(Array.from({ length: 8 }, () => 50n))
  await expect(client.call('theirs', shapes, 'Slow', [2_000], { timeout: 100 })).rejects.toThrow('timeout')
  await expect(client.call('nobody', shapes, 'Slow', [1], { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
    'enough',
  )
})

it('the client reads the status of a Go server', async () => {
  const { client } = await start()
  const { objects, workers } = await client.status('theirs')
  expect(objects).toEqual([shapes])
  expect(workers).toHaveLength(4)
  expect(Math.abs(Date.now() - (workers[0]?.since.getTime() ?? 0))).toBeLessThan(60_000)
})

it('the client hears the events of a Go server', async () => {
  const { client } = await start()
  const stop = new AbortController()
  const heard: unknown[] = []
  for await (const event of client.events('theirs', shapes, 'Ticks', stop.signal)) {
    heard.push(event)
    if (heard.length === 3) stop.abort()
  }
  expect(heard).toHaveLength(3)
  expect(heard[0]).toMatchObject({ Name: 'tick' })
})

it('a Go client hears the events of the server', async () => {
  const { broker, lines } = await start('-listen')
  const server = await createServer({ broker, module: 'ours', instance: 'one' })
  onTestFinished(() => server.close())
  server.register(shapes, {})
  server.start()
  for (let n = 1; n <= 5; n++) {
    await expect
      .poll(() =>
        server.publish(shapes, 'Ticks', { ID: n, Name: 'tock' }).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true)
    expect((await lines.next()).value).toBe(`${n} tock`)
  }
})
