import { type ErrorCode, flag, frameHead, frameSize, frameType } from './codes.ts'

// RFC 9113 section 6.
export const resetFrame = (stream: number, code: ErrorCode): Buffer => withNumber(frameType.reset, stream, code)
export const windowFrame = (stream: number, bytes: number): Buffer => withNumber(frameType.window, stream, bytes)
export const settingsAcknowledged = (): Buffer => frameHead(0, frameType.settings, flag.ack, 0)
export const pong = (payload: Buffer): Buffer => Buffer.concat([frameHead(8, frameType.ping, flag.ack, 0), payload])

export const goAwayFrame = (last: number, code: ErrorCode): Buffer => {
  const frame = frameHead(8, frameType.goaway, 0, 0, 8)
  frame.writeUInt32BE(last, 9)
  frame.writeUInt32BE(code, 13)
  return frame
}

/** A header block in as many frames as it takes. */
export const headerFrames = (stream: number, block: Buffer, end: boolean): Buffer[] => {
  const frames: Buffer[] = []
  let flags: number = end ? flag.endStream : 0
  for (let at = 0; at === 0 || at < block.length; at += frameSize) {
    const part = block.subarray(at, at + frameSize)
    if (at + frameSize >= block.length) flags |= flag.endHeaders
    const type = at === 0 ? frameType.headers : frameType.continuation
    frames.push(Buffer.concat([frameHead(part.length, type, flags, stream), part]))
    flags = 0
  }
  return frames
}

const withNumber = (type: number, stream: number, value: number): Buffer => {
  const frame = frameHead(4, type, 0, stream, 4)
  frame.writeUInt32BE(value, 9)
  return frame
}
