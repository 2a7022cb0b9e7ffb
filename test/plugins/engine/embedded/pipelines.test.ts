import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { Pipelines } from '../../../../lib/pipelines.ts'
import { eventually } from '../../../kit/engine/cases.ts'
import { socketPair } from './socket-pair.ts'

/** A server on one connection that has to be answered by hand, and all that its client gets. */
const served = async () => {
  const [near, far] = await socketPair()
  const open: { url: string; res: ServerResponse }[] = []
  const seen: string[] = []
  let held = 0
  const pipelines = new Pipelines((_socket, bytes) => {
    held += bytes
  })
  const server = createServer()
  let parsed = 0
  const serve = ({ url = '' }: IncomingMessage, res: ServerResponse) => {
    seen.push(url)
    open.push({ url, res })
  }
  server.on('request', (req, res) => {
    parsed++
    pipelines.add(serve, req, res)
  })
  server.emit('connection', near)
  let text = ''
  far.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  return { near, far, open, seen, pipelines, parsed: () => parsed, held: () => held, text: () => text }
}
const gets = (count: number) => Array.from({ length: count }, (_, at) => `GET /${at} HTTP/1.1\r\nHost: a\r\n\r\n`).join('')

test('pipelined requests are served one at a time, and their answers come in order', async () => {
  const { far, open, seen, text } = await served()
  far.write(gets(50))
  for (let at = 0; at < 50; at++) {
    await eventually(() => expect(open).toHaveLength(1))
    expect(seen).toHaveLength(at + 1)
    const [one] = open.splice(0)
    one?.res.end(`answer ${one.url};`)
  }
  await eventually(() => expect(text().match(/answer \/\d+;/g)).toEqual(seen.map((url) => `answer ${url};`)))
  expect(seen).toEqual(Array.from({ length: 50 }, (_, at) => `/${at}`))
})

test('while many requests wait nothing more is read, however much is sent, and all of it is served in the end', async () => {
  const { near, far, open, parsed, held, seen } = await served()
  const all = Buffer.from(gets(20_000))
  far.write(all)
  await eventually(() => expect(open).toHaveLength(1))
  await eventually(() => expect(near.isPaused()).toBe(true))
  // What one read brings is parsed. Neither the end of a message nor a client that reads lets in the rest.
  open[0]?.res.write(Buffer.alloc(4_000_000))
  await once(open[0]?.res ?? far, 'drain')
  expect(parsed()).toBeLessThan(4_096)
  expect(near.bytesRead).toBeLessThan(all.length / 2)
  expect(held()).toBe((parsed() - 1) * 2_048)
  while (seen.length < 20_000) {
    for (const { res } of open.splice(0)) res.end()
    await new Promise((done) => setImmediate(done))
  }
  expect(parsed()).toBe(20_000)
  expect(held()).toBe(0)
})

test('requests that wait are dropped with their connection, and where it is cleared', async () => {
  const gone = await served()
  gone.far.write(gets(10))
  await eventually(() => expect(gone.parsed()).toBe(10))
  gone.far.destroy()
  await once(gone.near, 'close')
  expect(gone.seen).toEqual(['/0'])
  const cleared = await served()
  cleared.far.write(gets(100))
  await eventually(() => expect(cleared.parsed()).toBe(100))
  expect(cleared.near.isPaused()).toBe(true)
  cleared.pipelines.clear(cleared.near)
  cleared.open[0]?.res.end()
  cleared.far.write('GET /next HTTP/1.1\r\nHost: a\r\n\r\n')
  // Its bytes are read again.
  await eventually(() => expect(cleared.parsed()).toBe(101))
  await eventually(() => expect(cleared.seen).toEqual(['/0', '/next']))
})
