import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect } from 'vitest'
import { seal } from '../../plugins/store/level/seal.ts'
import { tempRoot } from '../kit/index.ts'
import { certificate, route } from '../kit/store/samples.ts'
import { edit, folder, open } from '../plugins/store/level-folder.ts'
import { fault } from './fault.ts'

const alarms = ({ events }: Awaited<ReturnType<typeof open>>) =>
  events.flatMap((event) => (event.type === 'alarm' ? [`${event.code}: ${event.message}`] : [event.type]))

fault(32, 'a stored record that is not what was written is set aside with its table, and the rest loads', async () => {
  const root = folder()
  const store = await open(root)
  await store.commit([{ put: route('1-1-a') }, { put: route('1-2-b') }, { certificate: certificate('c') }])
  await store.close()
  let good = ''
  await edit(root, async (db) => {
    good = (await db.get('route!1-1-a')) ?? ''
    await db.put('route!1-1-a', good.replace('10.20.2.5', '10.20.2.4'))
    await db.put('route!9-9-z', good) // whole, but of another key
    await db.put('certificate!c', 'junk')
    await db.put('state!k', '')
  })
  const again = await open(root)
  const found = await again.load()
  expect(found.routes.map(({ id }) => id)).toEqual(['1-2-b'])
  expect([found.certificates, found.state.size]).toEqual([[], 0])
  expect(alarms(again)).toEqual([
    expect.stringContaining('state.damaged'),
    expect.stringContaining('certificate!c'),
    expect.stringContaining('route!1-1-a'),
    expect.stringContaining('state!k'),
    expect.stringContaining('route!9-9-z'),
  ])
  await again.close()

  const third = await open(root)
  expect((await third.load()).routes).toEqual([route('1-2-b')])
  expect(third.events).toEqual([])
  await third.close()
  await edit(root, async (db) => expect(await db.get('quarantine!route!9-9-z')).toBe(good))
})

fault(32, 'a stored record that means nothing is set aside, and the rest loads', async () => {
  const root = folder()
  const store = await open(root)
  await store.commit([{ put: route('1-2-b') }])
  await store.close()
  const odd = {
    'route!1-1-a': '1 {"id":"1-1-a"}',
    'route!1-1-b': 'x',
    'certificate!c': '{}',
    'ledger!a': '[1,-2]',
    'ledger!': '[1,2]',
  }
  await edit(root, async (db) => {
    for (const [key, text] of Object.entries(odd)) await db.put(key, seal(key, text))
  })
  const again = await open(root)
  expect((await again.load()).routes).toEqual([route('1-2-b')])
  expect(
    alarms(again)
      .map((alarm) => alarm.split(' ')[3])
      .sort(),
  ).toEqual(Object.keys(odd).sort())
  await again.close()
  const third = await open(root)
  await third.load()
  expect(third.events).toEqual([])
  await third.close()
})

fault(32, 'a stored record that claims the host of another loses it to the one that was written first, for good', async () => {
  const root = folder()
  const store = await open(root)
  await store.commit([{ put: route('2-2-b', { host: 'h.example' }) }])
  await store.close()
  const later = await open(root)
  await later.load()
  await later.commit([{ put: route('1-1-a', { host: 'h.example' }) }, { put: route('3-3-c', { host: 'h.example' }) }])
  await later.close()
  const again = await open(root)
  expect((await again.load()).routes.map(({ id }) => id)).toEqual(['2-2-b'])
  expect(alarms(again)).toEqual([expect.stringMatching(/^DOMAIN_TAKEN.*1-1-a/), expect.stringMatching(/^DOMAIN_TAKEN.*3-3-c/)])
  await again.commit([{ remove: route('2-2-b', { host: 'h.example' }) }])
  await again.close()
  const third = await open(root)
  expect((await third.load()).routes).toEqual([])
  await third.close()
})

const damage = fc.record({
  file: fc.nat(),
  how: fc.constantFrom('flip', 'zero', 'cut', 'remove'),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  bit: fc.integer({ min: 0, max: 7 }),
})
const change = (state: string, { file, how, at, bit }: typeof damage extends fc.Arbitrary<infer D> ? D : never): string => {
  const names = readdirSync(state).filter((name) => !/^LO|PID/.test(name))
  const name = names[file % names.length] ?? ''
  const path = join(state, name)
  const bytes = readFileSync(path)
  const place = Math.floor(at * bytes.length)
  if (how === 'remove') rmSync(path)
  else if (how === 'cut') writeFileSync(path, bytes.subarray(0, place))
  else {
    if (how === 'zero') bytes.fill(0, place, place + Math.min(512, bytes.length - place))
    else bytes[place] = (bytes[place] ?? 0) ^ (1 << bit)
    writeFileSync(path, bytes)
  }
  // LevelDB takes zeros in its log, and an early end of it, for what was never written: a bit of a length can look so too.
  return name.endsWith('.log') ? 'unseen' : 'seen'
}

fault(
  32,
  'a state folder that was changed behind its back still opens, never serves a route that was not set, says what is missing, and takes new ones',
  async () => {
    const original = folder()
    const all = Array.from({ length: 400 }, (_, n) => route(`1-${n}-x`))
    for (const half of [all.slice(0, 300), all.slice(300)]) {
      const store = await open(original) // each start turns the log of the last one into a table
      await Promise.all(half.map((put) => store.commit([{ put }])))
      await store.close()
    }
    const byId = new Map(all.map((each) => [each.id, each]))
    await fc.assert(
      fc.asyncProperty(damage, async (what) => {
        const root = tempRoot('damaged')
        cpSync(original, root.path, { recursive: true })
        for (const name of ['', ...readdirSync(join(root.path, 'state'))])
          chmodSync(join(root.path, 'state', name), name ? 0o600 : 0o700)
        const seen = change(join(root.path, 'state'), what) === 'seen'
        const store = await open(root.path)
        const { routes } = await store.load()
        for (const found of routes) expect(found).toEqual(byId.get(found.id))
        if (seen && routes.length < all.length) expect(alarms(store)).not.toEqual([])
        await store.commit([{ put: route('9-9-new') }])
        await store.close()
        const again = await open(root.path)
        expect((await again.load()).routes).toHaveLength(routes.length + 1)
        expect(alarms(again)).toEqual([])
        await again.close()
        await root.remove()
      }),
      { numRuns: 40 },
    )
  },
)

fault(
  32,
  'a state folder that was changed behind its back is reported where a record of the log is not what was written',
  async () => {
    const root = folder()
    const store = await open(root)
    await store.commit([{ put: route('1-1-a') }])
    await store.commit([{ put: route('1-2-b') }])
    await store.close()
    const log = readdirSync(join(root, 'state')).find((name) => name.endsWith('.log')) ?? ''
    const bytes = readFileSync(join(root, 'state', log))
    bytes[bytes.indexOf('1-1-a.gent01')] = 0x32
    writeFileSync(join(root, 'state', log), bytes)
    const again = await open(root)
    expect((await again.load()).routes.map(({ id }) => id)).not.toContain('1-1-a')
    expect(alarms(again)).toEqual([expect.stringContaining('dropping')])
    await again.close()
  },
)

fault(
  32,
  'a state folder that was changed behind its back is finished where a rescue was cut off between its renames',
  async () => {
    const root = folder()
    const store = await open(root)
    await store.commit([{ put: route('1-1-a') }])
    await store.close()
    cpSync(join(root, 'state'), join(root, 'state.damaged'), { recursive: true })
    renameSync(join(root, 'state'), join(root, 'state.new'))
    const again = await open(root)
    expect((await again.load()).routes).toEqual([route('1-1-a')])
    expect(existsSync(join(root, 'state.new'))).toBe(false)
    await again.close()
  },
)
