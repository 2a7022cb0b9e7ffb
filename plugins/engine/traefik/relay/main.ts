// The process that passed-through connections go through, with or without a gateway: node main.ts <folder> [--host IP] [--port N]
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { serveOn } from '../../../../lib/serve-on.ts'
import { Journal } from '../endpoint/journal.ts'
import { startControl } from './control.ts'
import { Meters } from './meters.ts'
import { Relay, takeRoutes, writtenRoutes } from './relay.ts'
import { Table } from './table.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { host: { type: 'string', default: '127.0.0.1' }, port: { type: 'string' } },
})
const [folder] = positionals
if (!folder) throw new Error('usage: main.ts <folder> [--host IP] [--port N]')

/** ms between two copies of the counters: the most that a crash loses. */
const keepEvery = 1_000

const [routes, bytes] = [join(folder, 'routes'), join(folder, 'bytes')]
for (const each of [routes, bytes]) await mkdir(each, { recursive: true, mode: 0o700 })
const meters: Meters = new Meters((id) => table.get(id))
const table = new Table((id) => meters.of(id))
await meters.open(bytes)
const journal = await Journal.open(routes, takeRoutes(table), () => writtenRoutes(table))
const relay = new Relay(table, meters, journal)

const server = createServer({ allowHalfOpen: true, pauseOnConnect: false }, relay.accept)
if (values.port)
  await new Promise<void>((done, fail) =>
    server.once('error', fail).listen({ host: values.host, port: Number(values.port), backlog: 4_096 }, done),
  )
// Who holds the port holds the folder: only then is the gateway told of it.
const control = await startControl(join(folder, 'socket'), (ask) => relay.answer(ask))
const keep = setInterval(() => {
  relay.keep().catch((error: unknown) => console.error(`the counters cannot be kept: ${error}`))
}, keepEvery)

const stop = async () => {
  clearInterval(keep)
  server.close()
  await control.close()
  await Promise.all([...table.all()].map(({ id }) => table.drain(id, 5_000)))
  await relay.keep().catch(() => undefined)
  await meters.close()
  await journal.close()
  process.exit(0)
}
serveOn()
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
