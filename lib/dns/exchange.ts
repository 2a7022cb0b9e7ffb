import { connect } from 'node:net'
import type { NameServer } from './name-server.ts'

/** Sends one message over TCP and resolves with the first that comes back, each after its length in two bytes (RFC 7766 section 8). */
export const exchange = ({ host, port }: NameServer, message: Buffer, signal: AbortSignal): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal })
    const chunks: Buffer[] = []
    let size = 0
    const length = Buffer.alloc(2)
    length.writeUInt16BE(message.length)
    socket.on('connect', () => socket.write(Buffer.concat([length, message])))
    socket.on('data', (chunk) => {
      // A peer may send byte by byte: put together once the length is there, and once all is.
      chunks.push(chunk)
      size += chunk.length
      if (size < 2) return
      const start = chunks.length > 1 && (chunks[0]?.length ?? 0) < 2 ? Buffer.concat(chunks.splice(0)) : undefined
      if (start) chunks.push(start)
      const wanted = 2 + (chunks[0]?.readUInt16BE(0) ?? 0)
      if (size < wanted) return
      resolve(Buffer.concat(chunks).subarray(2, wanted))
      socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the connection was closed without an answer')))
  })
