import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { promptPause } from '../../../../plugins/engine/embedded/prompt-pause.ts'

const connected = async (serve: (socket: Socket) => void): Promise<Socket> => {
  const server = createServer((socket) => serve(socket.on('error', () => undefined))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket: Socket = connect({ port: (server.address() as AddressInfo).port, ...promptPause(() => socket) })
  onTestFinished(() => {
    socket.destroy()
    server.close()
  })
  await once(socket, 'connect')
  return socket
}

test('a socket that is paused reads nothing more', async () => {
  const socket = await connected((peer) => {
    const more = () => {
      while (!peer.destroyed && peer.write(Buffer.alloc(65_536)));
    }
    peer.on('drain', more)
    more()
  })
  let bytes = 0
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    socket.pause()
  })
  await once(socket, 'pause')
  const other = await connected((peer) => peer.end('x'))
  // By the end of another connection the bytes that were on their way have come.
  await once(other.resume(), 'close')
  expect([socket.readableLength, socket.bytesRead]).toEqual([0, bytes])
  socket.resume()
  await once(socket, 'data')
})

test('sockets that share the buffer get their own bytes, whole and in order', async () => {
  const all = await Promise.all(
    Array.from({ length: 20 }, async (_, at) => {
      const socket = await connected((peer) => peer.end(Buffer.alloc(1_000_000, at)))
      const pieces: Buffer[] = []
      socket.on('data', (piece: Buffer) => {
        pieces.push(piece)
        socket.pause()
        setImmediate(() => socket.resume())
      })
      await once(socket, 'end')
      return Buffer.concat(pieces).equals(Buffer.alloc(1_000_000, at))
    }),
  )
  expect(all).toEqual(Array.from({ length: 20 }, () => true))
})
