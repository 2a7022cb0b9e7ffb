import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { createMemory } from '../../../lib/zbus/memory.ts'

setFlagsFromString('--expose-gc')
const gc: () => void = runInNewContext('gc')
/** Bytes of buffers, garbage gone: what the first collection finds dead is freed beside it. */
const buffers = async () => {
  for (let n = 0; n < 3; n++) {
    gc()
    await turn()
  }
  return process.memoryUsage().arrayBuffers
}

describe('the memory of answers', () => {
  it('gives back the bytes that it was given', () => {
    const memory = createMemory()
    const answer = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    memory.keep('one', answer)
    memory.keep('none', undefined)
    expect(memory.recall('one')).toEqual(answer)
    expect([memory.knows('none'), memory.recall('none')]).toEqual([true, undefined])
    expect([memory.knows('two'), memory.recall('two')]).toEqual([false, undefined])
  })

  it('keeps the latest answers and nothing that they were cut from', async () => {
    const memory = createMemory()
    const before = await buffers()
    for (let n = 0; n < 8_000; n++) {
      const answer = Buffer.allocUnsafe(200).fill(`answer ${n} `)
      memory.keep(`request ${n}`, answer)
      // What else is written meanwhile fills the rest of the block.
      for (let other = 0; other < 7; other++) Buffer.allocUnsafe(1_000)
    }
    // The blocks that they were cut from are 55 MiB together.
    expect((await buffers()) - before).toBeLessThan(8 << 20)
    expect(memory.recall('request 7999')?.toString()).toMatch(/^answer 7999 /)
    expect(memory.knows('request 0')).toBe(true)
    for (let n = 8_000; n < 20_000; n++) memory.keep(`request ${n}`, undefined)
    expect(memory.knows('request 7999')).toBe(false)
  })
})
