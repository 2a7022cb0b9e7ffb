import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Turns } from '../../../../plugins/engine/embedded/turns.ts'

test('a few jobs are done at once, the others a few in each turn of the event loop', async () => {
  const turns = new Turns(3, 0)
  let done = 0
  for (let at = 0; at < 10; at++) turns.take('one', () => done++)
  const after: number[] = [done]
  while (done < 10) {
    await turn()
    after.push(done)
  }
  expect(after).toEqual([3, 6, 9, 10])
})

test('a client with one job does not wait for all the jobs of another', async () => {
  const turns = new Turns(2, 0)
  const done: string[] = []
  for (let at = 0; at < 100; at++) turns.take('flood', () => done.push('flood'))
  turns.take('other', () => done.push('other'))
  while (done.length < 101) await turn()
  expect(done.indexOf('other')).toBeLessThan(5)
})

test('jobs that ask for more jobs get them done, and whoever comes after quiet time is served at once', async () => {
  const turns = new Turns(2, 0)
  const done: number[] = []
  const again = (left: number) => {
    done.push(left)
    if (left > 0) turns.take('one', () => again(left - 1))
  }
  again(9)
  while (done.length < 10) await turn()
  await turn()
  await turn()
  turns.take('one', () => done.push(-1))
  expect(done.at(-1)).toBe(-1)
})

test('between the jobs there are turns for others', async () => {
  const turns = new Turns(1, 3)
  let done = 0
  for (let at = 0; at < 3; at++) turns.take('one', () => done++)
  const after: number[] = []
  while (done < 3) {
    after.push(done)
    await turn()
  }
  expect(after).toEqual([1, 1, 1, 1, 2, 2, 2, 2])
})
