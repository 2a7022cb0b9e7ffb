import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { createReader } from '../clients/reader.ts'
import { acceptOf, frame, readFrame } from '../clients/ws.ts'

/** For `httpBackend({ upgrade })`: a WebSocket that sends every frame back. */
export const echoWebSocket = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
  if (head.length > 0) socket.unshift(head)
  const accept = acceptOf(String(request.headers['sec-websocket-key']))
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  const reader = createReader(socket)
  try {
    for (;;) {
      const { opcode, data } = await readFrame(reader)
      socket.write(frame(data, opcode))
    }
  } catch {
    socket.destroy()
  }
}
