import { expect, test } from 'vitest'
import { Descriptors } from '../../../../plugins/engine/embedded/descriptors.ts'

const socket = (fd: number) => ({ _handle: { fd } })

test.each([
  [256, 192, 224, 115],
  [1_024, 768, 896, 460],
  [20_000, 18_976, 19_488, 11_385],
])(
  'of %i descriptors clients get those below %i, backends those below %i, and clients connect %i times',
  (limit, clients, backends, most) => {
    const descriptors = new Descriptors(limit)
    expect(descriptors.mostClients).toBe(most)
    expect([clients - 1, clients].map((fd) => descriptors.admits(socket(fd)))).toEqual([true, false])
    expect([backends - 1, backends].map((fd) => descriptors.admitsBackend(socket(fd)))).toEqual([true, false])
    expect(descriptors.refusals.count).toBe(2)
  },
)

test('a shortage is reported for ten seconds after the last refusal', () => {
  const descriptors = new Descriptors(256)
  expect(descriptors.shortage()).toBeUndefined()
  descriptors.ranOut()
  expect(descriptors.shortage()).toContain('of 256 file descriptors too few are left')
  expect(descriptors.shortage(performance.now() + 10_001)).toBeUndefined()
})

test('a socket whose descriptor is not known is admitted', () => {
  for (const unknown of [{}, { _handle: null }, { _handle: {} }]) expect(new Descriptors(256).admits(unknown)).toBe(true)
})
