import type { Bytes, Certificate, Event, Route, Stored, WorkloadId } from '../../../core/index.ts'
import { reason } from '../../../core/index.ts'
import type { Database } from './database.ts'
import { bytesOf, certificateOf, routeDecoder } from './decode.ts'
import { keyOf, type Table } from './record.ts'
import { Damage, unsealBinary } from './seal.ts'

/** Reads everything. A record that cannot be used is set aside and reported; the rest loads. `after` learns the highest number of a route. */
export const load = (database: Database, emit: (event: Event) => void, after: (number: number) => void): Promise<Stored> =>
  database.rescuing(() => readAll(database, emit, after))

const readAll = async (database: Database, emit: (event: Event) => void, after: (number: number) => void): Promise<Stored> => {
  const bad: Bad[] = []
  const each = (table: Table, take: (key: string, value: string) => void) =>
    database.each(table, (key, value) => {
      try {
        take(key, value)
      } catch (error) {
        if (error instanceof Damage) throw error
        bad.push({ key, code: 'STORAGE', why: reason(error) })
      }
    })

  const routes = await readRoutes(each, bad, after)
  const certificates: Certificate[] = []
  await each('certificate', (key, value) => certificates.push(certificateOf(key, value)))
  const bytes = new Map<WorkloadId, Bytes>()
  await each('ledger', (key, value) => bytes.set(workloadOf(key), bytesOf(key, value)))
  const state = new Map<string, Uint8Array>()
  await database.eachBinary('state', (key, value) => state.set(idOf(key), unsealBinary(key, value)))

  await setAside(database, bad, emit)
  return { routes, certificates, bytes, state }
}

interface Bad {
  readonly key: string
  readonly code: 'STORAGE' | 'DOMAIN_TAKEN'
  readonly why: string
}
type Each = (table: Table, take: (key: string, value: string) => void) => Promise<void>

/** Where two routes claim one host, the one written first keeps it. */
const readRoutes = async (each: Each, bad: Bad[], after: (number: number) => void) => {
  const decode = routeDecoder()
  const routes: Route[] = []
  const numbers: number[] = []
  const places = new Map<string, number>()
  await each('route', (key, value) => {
    const { route, number } = decode(key, value)
    after(number)
    const place = places.get(route.host)
    const other = place === undefined ? undefined : routes[place]
    if (place === undefined || other === undefined) {
      places.set(route.host, routes.push(route) - 1)
      numbers.push(number)
      return
    }
    const [winner, loser] = (numbers[place] ?? 0) <= number ? [other, route] : [route, other]
    routes[place] = winner
    numbers[place] = Math.min(numbers[place] ?? 0, number)
    bad.push({ key: keyOf('route', loser.id), code: 'DOMAIN_TAKEN', why: `${loser.host} belongs to ${winner.id}` })
  })
  return routes
}

/** Moves the records to the quarantine table, where an operator can look at them, and says so. */
const setAside = async (database: Database, bad: readonly Bad[], emit: (event: Event) => void) => {
  for (let start = 0; start < bad.length; start += 1_000) {
    const rows = await Promise.all(
      bad.slice(start, start + 1_000).map(async ({ key }) => [
        { key: keyOf('quarantine', key), value: (await database.raw(key)) ?? null },
        { key, value: null },
      ]),
    )
    await database
      .write(rows.flat())
      .catch((error: unknown) => alarm(emit, 'STORAGE', `bad records stay in place: ${reason(error)}`))
  }
  for (const { key, code, why } of bad.slice(0, most)) alarm(emit, code, `stored record ${key} is set aside: ${why}`)
  if (bad.length > most) alarm(emit, 'STORAGE', `${bad.length - most} more stored records are set aside`)
}
const most = 20
const alarm = (emit: (event: Event) => void, code: string, message: string) =>
  emit({ type: 'alarm', code, message, fix: 'set the workload again, or restore the state folder from a backup' })

const idOf = (key: string) => Buffer.from(key.slice(key.indexOf('!') + 1)).toString() // a slice would hold on to the whole key
const isWorkload = (text: string): text is WorkloadId => text !== ''
const workloadOf = (key: string) => {
  const id = idOf(key)
  if (!isWorkload(id)) throw new Error('it names no workload')
  return id
}
