import { readdirSync } from 'node:fs'

import fc from 'fast-check'
import { expect } from 'vitest'

import { backend } from '../kit/engine/cases.ts'
import { engines } from './engines.ts'
import { faultOn } from './fault.ts'
import { oldRoute } from './old-route.ts'
import { told } from './refused.ts'

const paths = [
  '../x',
  '..',
  '.',
  '',
  'a/b',
  'a\\b',
  '/etc/passwd',
  '1-2-../../etc',
  '1-2-..%2f..%2fetc',
  'x.yaml',
  '1-2-a\0.yaml',
  '1-2-a\n',
  '1-2-a b',
  '~root',
  '$(id)',
  '1-2-ä',
  'a'.repeat(129),
  'a'.repeat(4_096),
]

faultOn(
  6,
  'a workload id that is a path is refused, and nothing is written for it, in the folder or out of it',
  engines,
  async (open) => {
    const world = await open()
    await using _old = await oldRoute(world)
    const web = await backend('web')
    const { root } = world.gateway.status()

    const files = () =>
      readdirSync(root, { recursive: true, encoding: 'utf8' })
        .filter((name) => !/^run|^proxy-aside$|^proxy.certificate/.test(name))
        .sort()
    const before = files()
    const set = (id: string) => told(world, { do: 'set-fqdn', id, fqdn: 'a.test', backends: [web.url] })
    for (const id of paths) {
      expect([id, await set(id)]).toEqual([id, expect.stringMatching(/^INVALID_ID: /)])
      expect([id, await told(world, { do: 'delete', id })]).toEqual([id, expect.stringMatching(/^INVALID_ID: /)])
    }
    const id = fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => !/^[A-Za-z0-9_-]{1,128}$/.test(text))
    await fc.assert(
      fc.asyncProperty(id, async (text) => {
        expect(await set(text)).toMatch(/^INVALID_ID: /)
      }),
      { numRuns: 500 },
    )
    expect(files()).toEqual(before)
    // The longest that is one is one file at most, and a device's name is no device.
    for (const good of ['a'.repeat(128), 'CON', '-', '_', '0']) {
      expect(await set(good)).toBe('ok')
      await world.delete(good)
    }
    expect(files()).toEqual(before)
  },
)
