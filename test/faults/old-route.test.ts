import { expect, test } from 'vitest'
import { backend } from '../kit/engine/cases.ts'
import { engines } from './engines.ts'
import { oldRoute } from './old-route.ts'

test('an old route that is served all the time is undisturbed', async () => {
  const world = await engines.embedded()
  const old = await oldRoute(world)
  await world.set('1-1-other', 'other.test', [(await backend('other')).url])
  await world.delete('1-1-other')
  await old.undisturbed()
  expect(old.served).toBeGreaterThan(2)
})

test('one that is answered by another backend, or not at all, is disturbed', async () => {
  const world = await engines.embedded()
  const thief = await backend('thief')
  const old = await oldRoute(world)
  await world.set('900-1-old', 'old.tenant.test', [thief.url])
  await expect(old.undisturbed()).rejects.toThrow('thief')
  const again = await oldRoute(world)
  await world.delete('900-1-old')
  await expect(again.undisturbed()).rejects.toThrow(/disturbed after \d+ requests/)
})

test('one whose gateway is started anew serves again, and is then undisturbed', async () => {
  const world = await engines.embedded()
  await using old = await oldRoute(world)
  await world.restart()
  await old.servesAgain()
})
