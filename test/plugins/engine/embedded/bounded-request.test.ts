import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { BoundedRequest } from '../../../../plugins/engine/embedded/bounded-request.ts'

/** What a client hears that sends its body in so many chunks of so many bytes. */
const sent = async (chunks: number, size: number): Promise<string> => {
  const server = createServer({ IncomingMessage: BoundedRequest }, (req, res) => {
    let bytes = 0
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    req.on('end', () => res.end(`took ${bytes}`)).on('error', () => undefined)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined)
  onTestFinished(() => {
    socket.destroy()
    server.close()
  })
  const chunk = `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`
  const head = 'POST / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n'
  socket.write(`${head}${chunk.repeat(chunks)}0\r\n\r\n`)
  let heard = ''
  socket.on('data', (piece: Buffer) => {
    heard += piece
  })
  await new Promise((done) => socket.once('close', done))
  return heard
}

test('a body of many tiny chunks at once ends its connection', async () => {
  expect(await sent(20_000, 1)).not.toContain('took')
  expect(await sent(20_000, 15)).not.toContain('took')
})

test('one of some tiny chunks, or of many that are not, is taken', async () => {
  expect(await sent(2_000, 1)).toContain('took 2000')
  expect(await sent(20_000, 16)).toContain('took 320000')
})
