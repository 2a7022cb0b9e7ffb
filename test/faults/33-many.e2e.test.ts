import { expect } from 'vitest'
import { fqdnProxy, limits, staticNode } from '../../plugins/index.ts'
import { backend, eventually } from '../kit/engine/cases.ts'
import type { World } from '../kit/engine/world.ts'
import { pick, random } from '../torture/operation.ts'
import { engines, enginesWith } from './engines.ts'
import { faultOn } from './fault.ts'
import { oldRoute } from './old-route.ts'
import { told } from './refused.ts'

const hostOf = (n: number) => `h${n}.wild.test`
const answer = async (world: World, host: string) => {
  const { status, text } = await world.get(host)
  return status === 404 ? 'none' : text
}

faultOn(
  33,
  'ten thousand routes of a thousand tenants come, change and go, and those asked for are served',
  { embedded: engines.embedded },
  async (open) => {
    const world = await open()
    await using _old = await oldRoute(world)
    const [one, two] = [await backend('one'), await backend('two')]
    const count = 10_000
    const all = Array.from({ length: count }, (_, n) => n)
    const set = (n: number, url: string) =>
      told(world, { do: 'set-fqdn', id: `${1 + (n % 1_000)}-${n}-m`, fqdn: hostOf(n), backends: [url] })
    expect(new Set(await Promise.all(all.map((n) => set(n, one.url))))).toEqual(new Set(['ok']))
    const chance = random(33)
    const some = Array.from({ length: 50 }, () => Math.floor(chance() * count))
    for (const n of some) expect(await answer(world, hostOf(n))).toBe('one')
    for (const n of some) expect(await set(n, two.url)).toBe('ok')
    for (const n of some) await eventually(async () => expect(await answer(world, hostOf(n))).toBe('two'))
    await Promise.all(all.map((n) => told(world, { do: 'delete', id: `${1 + (n % 1_000)}-${n}-m` })))
    for (const n of some) expect(await answer(world, hostOf(n))).toBe('none')
    expect([...world.gateway.routes.all()].map(({ id }) => id)).toEqual(['900-1-old'])
  },
)

faultOn(33, 'what many changes made of the routes is what a start makes of them', engines, async (open) => {
  const world = await open()
  await using old = await oldRoute(world)
  const webs = [await backend('0'), await backend('1'), await backend('2')]
  const chance = random(7)
  const model = new Map<number, number>()
  for (let n = 0; n < 80; n++) {
    const route = Math.floor(chance() * 12)
    if (chance() < 0.35) {
      await world.delete(`1-${route}-m`)
      model.delete(route)
    } else {
      const to = pick(chance, [0, 1, 2])
      await told(world, { do: 'set-fqdn', id: `1-${route}-m`, fqdn: hostOf(route), backends: [webs[to]!.url] })
      model.set(route, to)
    }
  }
  const asModelled = async () => {
    for (let route = 0; route < 12; route++)
      await eventually(async () =>
        expect([route, await answer(world, hostOf(route))]).toEqual([route, String(model.get(route) ?? 'none')]),
      )
  }
  await asModelled()
  await world.restart()
  await old.servesAgain()
  await asModelled()
})

faultOn(
  33,
  'a tenant that has all that it may gets LIMIT, others are served, and what it gives back it may have again',
  enginesWith,
  async (open) => {
    const world = await open(limits({ routes: 5 }), staticNode({ ipv4: '198.51.100.7' }), fqdnProxy())()
    await using _old = await oldRoute(world)
    const web = await backend('web')
    const set = (id: string, fqdn: string) => told(world, { do: 'set-fqdn', id, fqdn, backends: [web.url] })
    for (let n = 0; n < 5; n++) expect(await set(`7-${n}-n`, hostOf(n))).toBe('ok')
    const many = await Promise.all(Array.from({ length: 50 }, (_, n) => set(`7-${n + 10}-n`, hostOf(n + 10))))
    for (const said of many) expect(said).toMatch(/^LIMIT: /)
    expect(await set('7-0-n', hostOf(0))).toBe('ok')
    expect(await set('8-1-n', hostOf(90))).toBe('ok')
    await world.delete('7-0-n')
    expect(await set('7-9-n', hostOf(9))).toBe('ok')
    expect(await answer(world, hostOf(90))).toBe('web')
  },
)
