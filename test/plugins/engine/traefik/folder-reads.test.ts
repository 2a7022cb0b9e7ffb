import { expect, test, vi } from 'vitest'
import { FolderReads } from '../../../../plugins/engine/traefik/folder-reads.ts'

const [traefik, another] = [11, 12]

test('a Traefik that has not done its first read may be reading', () => {
  const reads = new FolderReads()
  expect(reads.quiet(undefined)).toBe(false)
  expect(reads.shown(undefined, 5)).toBe(0)
  expect(reads.quiet(traefik)).toBe(true)
})

test('a read that was asked for is over when its generation is shown, and not before', () => {
  const reads = new FolderReads()
  reads.asked(traefik, 7)
  expect(reads.quiet(traefik)).toBe(false)
  expect(reads.shown(traefik, 6)).toBe(0)
  expect(reads.quiet(traefik)).toBe(false)
  expect(reads.shown(traefik, 7)).toBe(7)
  expect(reads.quiet(traefik)).toBe(true)
})

test('where it was asked twice the first is certain at once, and what came with the second once no read can follow', async () => {
  const reads = new FolderReads()
  reads.asked(traefik, 7)
  reads.asked(traefik, 8)
  expect(reads.shown(traefik, 8)).toBe(7)
  expect(reads.quiet(traefik)).toBe(false)
  // Asked again while a read may go on: that is waited for once more.
  reads.asked(traefik, 9)
  expect(reads.shown(traefik, 9)).toBe(7)
  await vi.waitFor(() => expect(reads.shown(traefik, 9)).toBe(9), 20_000)
  expect(reads.quiet(traefik)).toBe(true)
})

test('a Traefik that is slower than it is asked has the first for certain while it reads on', () => {
  const reads = new FolderReads()
  for (const generation of [7, 8, 9, 10]) reads.asked(traefik, generation)
  expect(reads.shown(traefik, 8)).toBe(7)
  expect(reads.quiet(traefik)).toBe(false)
})

test('what another process was asked is nothing to one that came up since', () => {
  const reads = new FolderReads()
  reads.asked(traefik, 7)
  expect(reads.quiet(another)).toBe(true)
  expect(reads.shown(another, 7)).toBe(7)
  reads.asked(another, 8)
  expect(reads.quiet(another)).toBe(false)
})
