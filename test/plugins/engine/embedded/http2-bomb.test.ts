import { expect, test } from 'vitest'
import { Decoder } from '../../../../plugins/engine/embedded/h2/decoder.ts'
import { headerBlock, openFrames } from '../../../kit/clients/h2-frames.ts'
import { backend } from '../../../kit/engine/cases.ts'
import { defer, openWorld } from '../../../kit/engine/world.ts'
import { embeddedUnderTest } from './under-test.ts'

const request = headerBlock(Object.entries({ ':method': 'GET', ':scheme': 'https', ':path': '/', ':authority': 'a.test' }))
/** A field put into the table, and then named by one byte again and again: 62 is the newest entry. */
const bomb = (name: string, value: string, times: number) => {
  const text = (of: string) => Buffer.concat([Buffer.of(of.length), Buffer.from(of)])
  return Buffer.concat([request, Buffer.of(0x40), text(name), text(value), Buffer.alloc(times, 0x80 | 62)])
}
const bombs: readonly (readonly [what: string, block: Buffer])[] = [
  ['a tiny field named 12,000 times', bomb('a', '', 12_000)],
  ['a Cookie crumb named 12,000 times', bomb('cookie', '', 12_000)],
  ['a field of 120 bytes named 12,000 times', bomb('a', 'x'.repeat(120), 12_000)],
]

test.each(bombs)('CVE-2026-49975: %s is read to no more than a head may hold', (_what, block) => {
  expect(new Decoder().decode(block, 32_768)).toBeUndefined()
})

test.each(bombs)(
  'CVE-2026-49975: %s, on many streams with a window of zero, gets 431 and reaches no backend',
  async (_what, block) => {
    const world = await openWorld(embeddedUnderTest)()
    const web = await backend('fine')
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await openFrames({ port: world.where.https }, { name: 'a.test', ca: world.authority.root })
    defer(client.close)
    // SETTINGS_INITIAL_WINDOW_SIZE 0: no answer can end.
    await client.send(4, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]))
    for (let stream = 1; stream < 200; stream += 2) await client.send(1, 5, stream, block)
    expect(await client.outcome(1)).toBe('refused')
    expect((await world.get('a.test')).text).toBe('fine')
    expect(web.requests).toHaveLength(1)
  },
)

test('empty CONTINUATION frames without end close their connection', async () => {
  const world = await openWorld(embeddedUnderTest)()
  await world.set('1-1-a', 'a.test', [(await backend('fine')).url])
  const client = await openFrames({ port: world.where.https }, { name: 'a.test', ca: world.authority.root })
  defer(client.close)
  await client.send(1, 1, 1, request)
  const sent = (async () => {
    for (let count = 0; count < 1_000; count++) await client.send(9, 0, 1)
  })().catch(() => undefined)
  expect(['goaway', 'closed']).toContain(await client.outcome(1))
  await sent
  expect((await world.get('a.test')).text).toBe('fine')
})
