import { ConnectionError, errorCode, frameHead, frameType, mostWindow } from './codes.ts'

/** What this side announces. Sizes in bytes. */
export interface Announced {
  readonly streams: number
  readonly headerBytes: number
  readonly streamWindow: number
}

const id = { table: 1, push: 2, streams: 3, window: 4, frame: 5, headers: 6 } as const

export const settingsFrame = ({ streams, headerBytes, streamWindow }: Announced): Buffer => {
  const all = [
    [id.streams, streams],
    [id.window, streamWindow],
    [id.headers, headerBytes],
  ] as const
  const frame = frameHead(all.length * 6, frameType.settings, 0, 0, all.length * 6)
  all.forEach(([name, value], at) => {
    frame.writeUInt16BE(name, 9 + at * 6)
    frame.writeUInt32BE(value, 11 + at * 6)
  })
  return frame
}

interface Said {
  /** Sizes of the header table, all of them: what the smallest one drove out stays out (RFC 7541 section 4.2). */
  readonly tables: readonly number[]
  readonly window: number | undefined
}

/** What the peer's SETTINGS say that matters here (RFC 9113 section 6.5.2). Throws ConnectionError. */
export const readSettings = (payload: Buffer): Said => {
  if (payload.length % 6 !== 0) throw new ConnectionError(errorCode.frameSize, 'SETTINGS of a wrong length')
  // Far more than there are: whoever repeats them keeps this side busy.
  if (payload.length > 32 * 6) throw new ConnectionError(errorCode.calm, 'too many SETTINGS in one frame')
  const tables: number[] = []
  let window: number | undefined
  for (let at = 0; at < payload.length; at += 6) {
    const value = payload.readUInt32BE(at + 2)
    switch (payload.readUInt16BE(at)) {
      case id.table:
        tables.push(value)
        break
      case id.push:
        if (value > 1) throw new ConnectionError(errorCode.protocol, 'SETTINGS_ENABLE_PUSH is neither 0 nor 1')
        break
      case id.window:
        if (value > mostWindow) throw new ConnectionError(errorCode.flowControl, 'SETTINGS_INITIAL_WINDOW_SIZE is too large')
        window = value
        break
      case id.frame:
        if (value < 16_384 || value > 16_777_215)
          throw new ConnectionError(errorCode.protocol, 'SETTINGS_MAX_FRAME_SIZE is out of range')
        break
    }
  }
  return { tables, window }
}
