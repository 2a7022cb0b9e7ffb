/** RFC 9113 section 7. */
export const errorCode = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
} as const
export type ErrorCode = (typeof errorCode)[keyof typeof errorCode]

/** RFC 9113 section 6. */
export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const
export const flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const

/** What a peer did that ends the whole connection (RFC 9113 section 5.4.1). */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Payload bytes of a frame that every peer takes (RFC 9113 section 4.2). */
export const frameSize = 16_384
/** The most that a flow-control window may hold (RFC 9113 section 6.9.1). */
export const mostWindow = 2_147_483_647

export const frameHead = (length: number, type: number, flags: number, stream: number, extra = 0): Buffer => {
  const head = Buffer.allocUnsafe(9 + extra)
  head[0] = length >> 16
  head[1] = length >> 8
  head[2] = length
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return head
}
