import { expect, test } from 'vitest'
import { frameHead, frameType } from '../../../../plugins/engine/embedded/h2/codes.ts'
import { Frames } from '../../../../plugins/engine/embedded/h2/frames.ts'

test('reads a connection that comes in pieces of any size as one that comes whole', () => {
  const ping = Buffer.concat([frameHead(8, frameType.ping, 0, 0), Buffer.from('12345678')])
  const all = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frameHead(0, frameType.settings, 0, 0), ping, ping])
  for (let size = 1; size <= all.length; size++) {
    const seen: string[] = []
    const nothing = () => undefined
    const sink = { data: nothing, headers: nothing, priority: nothing, cancelled: nothing, goaway: nothing, window: nothing }
    const frames = new Frames(
      {
        ...sink,
        unknown: nothing,
        late: nothing,
        settings: () => void seen.push('settings'),
        ping: (payload) => void seen.push(payload.toString()),
      },
      1_000,
      1_000,
    )
    for (let at = 0; at < all.length; at += size) frames.push(all.subarray(at, at + size))
    expect(seen).toEqual(['settings', '12345678', '12345678'])
  }
})
