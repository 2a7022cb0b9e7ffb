import { describe, expect, test } from 'vitest'
import { eventLog } from '../../core/event-log.ts'
import type { Logged } from '../../core/index.ts'

const open = (first = 0, keep = 5) => {
  const reserved: number[] = []
  const log = eventLog({
    first,
    keep,
    reserve: async (seq) => void reserved.push(seq),
    failed: (error) => expect.unreachable(String(error)),
  })
  return { log, reserved }
}
const take = async (from: AsyncGenerator<Logged>, count: number) => {
  const taken: Logged[] = []
  for await (const event of from) if (taken.push(event) === count) break
  return taken
}
const brief = (events: readonly Logged[]) => events.map(({ seq, type }) => `${seq} ${type}`)

describe('the event log', () => {
  test('gives a reader what came after its number, then what comes', async () => {
    const { log } = open()
    log.emit({ type: 'reloaded' })
    log.emit({ type: 'engine', state: 'up' })
    const reading = take(log.read(1), 2)
    log.emit({ type: 'engine', state: 'down' })
    expect(brief(await reading)).toEqual(['2 engine', '3 engine'])
  })

  test('says that there is a gap where events are no longer kept, and where the number is from the future', async () => {
    const { log } = open()
    for (let n = 0; n < 8; n++) log.emit({ type: 'reloaded' })
    expect(brief(await take(log.read(1), 6))).toEqual([
      '3 gap',
      '4 reloaded',
      '5 reloaded',
      '6 reloaded',
      '7 reloaded',
      '8 reloaded',
    ])
    expect(brief(await take(log.read(99), 2))).toEqual(['3 gap', '4 reloaded'])
    expect(brief(await take(log.read(3), 1))).toEqual(['4 reloaded'])
  })

  test('tells a reader that was overtaken', async () => {
    const { log } = open()
    const reader = log.read(0)
    log.emit({ type: 'reloaded' })
    expect((await reader.next()).value).toMatchObject({ seq: 1 })
    for (let n = 0; n < 8; n++) log.emit({ type: 'reloaded' })
    expect(brief(await take(reader, 3))).toEqual(['4 gap', '5 reloaded', '6 reloaded'])
  })

  test('numbers go on above all that could have been used before a crash, and right on after a stop', async () => {
    const { log, reserved } = open(10)
    log.emit({ type: 'reloaded' })
    expect(reserved.at(-1)).toBeGreaterThan(11)
    const crashed = open(reserved.at(-1))
    crashed.log.emit({ type: 'reloaded' })
    expect((await take(crashed.log.read(0), 2))[1]?.seq).toBeGreaterThan(11)
    await log.close()
    expect(reserved.at(-1)).toBe(11)
  })

  test('a reader ends with its signal and with the log', async () => {
    const { log } = open()
    const controller = new AbortController()
    const reading = take(log.read(undefined, controller.signal), 1)
    const other = take(log.read(), 1)
    controller.abort()
    expect(await reading).toEqual([])
    await log.close()
    expect(await other).toEqual([])
  })
})
