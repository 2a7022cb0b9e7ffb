import type { Socket, TcpNetConnectOpts } from 'node:net'

// All sockets read into it, one after another, and keep a copy of what they got. With the head of a response, one read is more than
// the 64 KiB that hold a backend up, so that there is no second one.
const buffer = Buffer.allocUnsafeSlow(73_728)

/**
 * Options of a TCP connection that reads nothing more from the moment it is paused. Node's own goes on until its buffer is full, so
 * that every slow client of a fast backend costs up to 128 KiB more.
 */
export const promptPause = (socket: () => Socket): Pick<TcpNetConnectOpts, 'onread'> & { readableHighWaterMark: number } => ({
  readableHighWaterMark: 0,
  onread: { buffer, callback: (bytes) => socket().push(Buffer.from(buffer.subarray(0, bytes))) },
})
