import { createClient } from '../../lib/zbus/index.ts'

/** The events that a gateway keeps (core/event-log.ts), and the most answers that it remembers (lib/zbus/memory.ts). */
const [events, answers] = [10_000, 8_192]
const tenants = 50
const atOnce = 16

/**
 * Fills what a gateway keeps up to a number, with the same work that goes on later: what still fills looks as if it leaked. The number of
 * rounds that it took.
 */
export const fill = async ({ broker, api, backend }: { broker: string; api: number; backend: string }): Promise<number> => {
  const zbus = createClient({ broker })
  const object = { name: 'gateway', version: '0.0.1' }
  const call = (method: string, ...args: unknown[]) => zbus.call('gateway', object, method, args, { timeout: 60_000 })
  let rounds = 0
  const round = async (name: string) => {
    const n = rounds++
    const id = `${100 + (n % tenants)}-${n % 1_000}-fill`
    await call('SetNamedProxy', id, name, [backend], false)
    await call('SetNamedProxy', id, name, ['http://127.0.0.1:9'], false)
    await call('DeleteNamedProxy', id)
  }
  const full = async () => {
    if (rounds * 3 < answers) return false
    const kept = await (await fetch(`http://127.0.0.1:${api}/v1/events?since=0&follow=false`)).text()
    return kept.split('\nevent: ').length > events
  }
  while (!(await full())) {
    const end = rounds + 1_000
    const worker = async (_: unknown, at: number) => {
      while (rounds < end) await round(`fill${at}`)
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
  }
  zbus.close()
  return rounds
}
