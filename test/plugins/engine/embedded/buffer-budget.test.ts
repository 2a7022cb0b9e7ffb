import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BufferBudget, type ConnectionBuffers } from '../../../../plugins/engine/embedded/buffer-budget.ts'

const budgetOf = (limits: { connection?: number; address?: number; total?: number }) => {
  const told: string[] = []
  const ended: string[] = []
  const budget = new BufferBudget({ connection: 0, address: 0, total: 0, ...limits }, (address, reason) =>
    told.push(`${address}: ${reason}`),
  )
  const open = (address: string, name = address, exempt = false) => budget.open(address, exempt, () => ended.push(name))
  return { budget, told, ended, open }
}

test('a connection with its share is full until it has sent some of it', () => {
  const { open } = budgetOf({ connection: 100 })
  const one = open('192.0.2.1')
  one.add(99)
  expect(one.full).toBe(false)
  one.add(1)
  expect(one.full).toBe(true)
  one.add(-1)
  expect(one.full).toBe(false)
})

test('where the process holds much, only connections that hold little are not full', () => {
  const { open } = budgetOf({ total: 1_000_000 })
  const [large, small] = [open('192.0.2.1'), open('192.0.2.2')]
  large.add(450_000)
  small.add(60_000)
  expect([large.full, small.full]).toEqual([true, false])
})

test('over the limit of an address, the connection of it that holds most is ended', () => {
  const { budget, told, ended, open } = budgetOf({ address: 100 })
  open('192.0.2.9', 'another').add(90)
  open('2001:db8:1:2::1', 'first').add(30)
  const second = open('2001:db8:1:2:ffff::', 'second')
  second.add(60)
  open('2001:db8:1:3::1', 'another network').add(90)
  const third = open('2001:db8:1:2::3', 'third')
  third.add(20)
  expect(ended).toEqual(['second'])
  expect(told).toEqual(['2001:db8:1:2::1: its address holds more than 100 bytes of memory'])
  expect(budget.bytes).toBe(90 + 30 + 90 + 20)
  // What it still gives back afterwards counts for nothing.
  second.add(-60)
  expect(budget.bytes).toBe(230)
})

test('a trusted proxy may hold as much as all', () => {
  const { ended, open } = budgetOf({ address: 100, total: 1_000 })
  open('192.0.2.1', 'proxy', true).add(900)
  expect(ended).toEqual([])
})

test('over the limit of the process, connections of the address that holds most are ended until it fits', () => {
  const { budget, ended, open } = budgetOf({ total: 1_000 })
  open('192.0.2.1', 'honest').add(300)
  for (let at = 0; at < 10; at++) open('192.0.2.2', `attack ${at}`).add(80)
  expect(ended).toEqual(['attack 0', 'attack 1'])
  expect(budget.bytes).toBeLessThanOrEqual(1_000)
})

test('whatever happens, no sum is negative or over its limit, and all come back to 0', () => {
  const step = fc.record({ who: fc.nat(9), bytes: fc.integer({ min: -500, max: 500 }), close: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { budget, open } = budgetOf({ connection: 300, address: 800, total: 1_500 })
      const held = new Map<number, { buffers: ConnectionBuffers; bytes: number }>()
      for (const { who, bytes, close } of steps) {
        const one = held.get(who) ?? { buffers: open(`192.0.2.${who % 3}`), bytes: 0 }
        held.set(who, one)
        const change = Math.max(bytes, -one.bytes)
        one.bytes += change
        one.buffers.add(change)
        if (close) {
          one.buffers.close()
          held.delete(who)
        }
        const sum = [...held.values()].reduce((all, { buffers }) => all + buffers.bytes, 0)
        expect(budget.bytes).toBe(sum)
        expect(budget.bytes).toBeGreaterThanOrEqual(0)
        expect(budget.bytes).toBeLessThanOrEqual(1_500)
      }
      for (const { buffers } of held.values()) buffers.close()
      expect(budget.bytes).toBe(0)
    }),
  )
})
