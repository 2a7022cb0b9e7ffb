import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { frameType, openFrames } from '../../../kit/clients/h2-frames.ts'
import { backend } from '../../../kit/engine/cases.ts'
import { defer, openWorld } from '../../../kit/engine/world.ts'
import { tempRoot } from '../../../kit/index.ts'
import { embeddedUnderTest } from './under-test.ts'

const open = openWorld(embeddedUnderTest)
const size = 268_435_456
const stand = async () => {
  const world = await open()
  const piece = Buffer.alloc(65_536)
  const web = await backend((_, response) => {
    let left = size
    const write = () => {
      for (; left > 0; ) {
        left -= piece.length
        if (!response.write(piece)) return
      }
      response.end()
    }
    response.on('drain', write)
    write()
  })
  await world.set('1-1-a', 'a.test', [web.url])
  return world
}

test("Go's HTTP/2 client, which opens both windows with every 4 KiB it reads, gets a large answer as fast as it can", async () => {
  const world = await stand()
  const root = tempRoot('go-client')
  defer(root.remove)
  const ca = join(root.path, 'ca.pem')
  writeFileSync(ca, world.authority.root)
  const program = join(import.meta.dirname, 'testdata', 'fetch.go')
  const { stdout } = await promisify(execFile)('go', ['run', program, ca, `127.0.0.1:${world.where.https}`, 'https://a.test/'])
  expect(stdout.trim()).toBe(`HTTP/2.0 ${size} EOF`)
})

test('a client may measure the way by a PING for every DATA frame it gets', async () => {
  const world = await stand()
  const client = await openFrames({ port: world.where.https }, { name: 'a.test', ca: world.authority.root })
  defer(client.close)
  const most = Buffer.from([0x3f, 0xff, 0xff, 0xff])
  await client.send(frameType.window, 0, 0, most)
  const fields = { ':method': 'GET', ':scheme': 'https', ':authority': 'a.test', ':path': '/' }
  await client.headers(1, Object.entries(fields), true)
  await client.send(frameType.window, 0, 1, most)
  let [received, pongs] = [0, 0]
  for (let ended = false; !ended || pongs < 1_000; ) {
    const frame = await client.next()
    expect(frame.type).not.toBe(frameType.goaway)
    if (frame.type === frameType.ping) pongs++
    if (frame.type !== frameType.data) continue
    received += frame.payload.length
    ended = (frame.flags & 1) !== 0
    if (!ended) await client.send(frameType.ping, 0, 0, Buffer.alloc(8))
  }
  expect(received).toBe(size)
})

test('a client that opens its window byte by byte while it takes nothing is told to calm down', async () => {
  const world = await stand()
  const client = await openFrames({ port: world.where.https }, { name: 'a.test', ca: world.authority.root })
  defer(client.close)
  const fields = { ':method': 'GET', ':scheme': 'https', ':authority': 'a.test', ':path': '/' }
  await client.headers(1, Object.entries(fields), true)
  const flood = (async () => {
    for (let sent = 0; sent < 20_000; sent++) await client.send(frameType.window, 0, 0, Buffer.of(0, 0, 0, 1))
  })().catch(() => undefined)
  expect(await client.outcome(3)).toMatch(/goaway|closed/)
  await flood
})
