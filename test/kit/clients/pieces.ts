import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect } from 'node:tls'

/** A stream over `socket` whose first write, the ClientHello, is sent as `cut` says, each piece in a TCP packet of its own. */
export const inPieces =
  (cut: (hello: Buffer) => readonly Uint8Array[]) =>
  (socket: Socket): Duplex => {
    let first = true
    const stream = new Duplex({
      read: () => void socket.resume(),
      write: (chunk: Buffer, _encoding, done) => {
        if (!first) return void socket.write(chunk, done)
        first = false
        sendEach(socket, cut(chunk)).then(() => done(), done)
      },
      final: (done) => void socket.end(done),
      destroy: (error, done) => {
        socket.destroy()
        done(error)
      },
    })
    socket.on('data', (chunk) => {
      if (!stream.push(chunk)) socket.pause()
    })
    socket.on('end', () => stream.push(null))
    socket.on('close', () => stream.destroy())
    return stream
  }

/** The ClientHello that Node sends for this server name, in one record. */
export const clientHello = (name: string): Promise<Buffer> =>
  new Promise((done) => {
    const nowhere = new Duplex({ read: () => undefined, write: (chunk: Buffer) => done(chunk) })
    connect({ socket: nowhere, servername: name }).on('error', () => undefined)
  })

/**
 * The same with an extension `encrypted_client_hello` behind all others, as clients send it to servers of which they have no keys (RFC 9849
 * section 6.2). `random` makes so many bytes.
 */
export const withEchGrease = (hello: Buffer, random: (size: number) => Uint8Array): Buffer => {
  const two = (number: number) => Buffer.of(number >> 8, number & 0xff)
  // Outer, HKDF-SHA256, AES-128-GCM, a configuration's number, then an encapsulated key and a payload.
  const body = Buffer.concat([Buffer.of(0, 0, 1, 0, 1, 42), two(32), random(32), two(144), random(144)])
  const extension = Buffer.concat([Buffer.of(0xfe, 0x0d), two(body.length), body])
  const whole = Buffer.concat([hello, extension])
  // Past the version, the random, the session's id, the cipher suites and the compression methods.
  let at = 9 + 2 + 32
  at += 1 + (whole[at] ?? 0)
  at += 2 + whole.readUInt16BE(at)
  at += 1 + (whole[at] ?? 0)
  whole.writeUInt16BE(whole.readUInt16BE(at) + extension.length, at)
  whole.writeUIntBE(whole.readUIntBE(6, 3) + extension.length, 6, 3)
  whole.writeUInt16BE(whole.readUInt16BE(3) + extension.length, 3)
  return whole
}

/** One byte a packet. */
export const byteByByte = (hello: Buffer): Uint8Array[] => Array.from(hello, (byte) => Uint8Array.of(byte))

/** The handshake message in TLS records of `size` bytes each (RFC 8446 section 5.1 allows any split). */
export const inRecords =
  (size: number) =>
  (hello: Buffer): Uint8Array[] => {
    const message = hello.subarray(5)
    const records: Uint8Array[] = []
    for (let at = 0; at < message.length; at += size) {
      const piece = message.subarray(at, at + size)
      records.push(Buffer.concat([hello.subarray(0, 3), Buffer.from([piece.length >> 8, piece.length & 0xff]), piece]))
    }
    return records
  }

const sendEach = async (socket: Socket, pieces: readonly Uint8Array[]) => {
  for (const piece of pieces) {
    await new Promise<void>((done, fail) => socket.write(piece, (error) => (error ? fail(error) : done())))
    // A turn of the loop between two writes, or the system would send them together.
    await new Promise((done) => setImmediate(done))
  }
}
