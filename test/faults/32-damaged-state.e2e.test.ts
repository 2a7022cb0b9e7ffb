import { expect } from 'vitest'
import type { Logged, Route, WorkloadId } from '../../core/index.ts'
import { backend, eventually } from '../kit/engine/cases.ts'
import { idOf } from '../kit/engine/world.ts'
import { engines } from './engines.ts'
import { faultOn } from './fault.ts'
import { oldRoute } from './old-route.ts'

faultOn(
  32,
  'at a start with routes that nobody can serve, or two for one host, the rest is served and the others are named',
  engines,
  async (open) => {
    const world = await open()
    await using old = await oldRoute(world)
    const [first, second] = [await backend('first'), await backend('second')]
    const stored = await world.set('1-1-a', 'a.wild.test', [first.url])
    const plant = (id: string, changes: Partial<Route>) =>
      world.memory.routes.set(id as WorkloadId, { ...stored, id: idOf(id), backends: [second.url], ...changes })
    plant('2-1-thief', {})
    plant('2-2-through', { passthrough: true, backends: [second.address], tls: { mode: 'passthrough' } })
    plant('2-3-nobody', { host: 'nobody.wild.test', tls: { mode: 'terminate', resolver: 'gone', names: ['nobody.wild.test'] } })
    await world.restart()
    await old.servesAgain()
    await eventually(async () => expect((await world.get('a.wild.test')).text).toBe('first'))
    expect(second.requests).toEqual([])
    const alarms: Logged[] = []
    for await (const event of world.gateway.events(0, AbortSignal.timeout(30_000))) {
      if (event.type === 'alarm') alarms.push(event)
      if (alarms.length === 2) break
    }
    expect(alarms.map((alarm) => (alarm.type === 'alarm' ? alarm.message : '')).sort()).toEqual([
      expect.stringContaining('2-1-thief'),
      expect.stringContaining('2-2-through'),
    ])
    // Named, not forgotten: its owner can delete it.
    await world.delete('2-1-thief')
    await eventually(async () => expect((await world.get('a.wild.test')).text).toBe('first'))
  },
)
