// The process that serves Traefik its routes, with or without a gateway: node main.ts <folder> --port N [--hold ms] [--wait]
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { serveOn } from '../../../../lib/serve-on.ts'
import { type Parts, startControl } from './control.ts'
import { Journal, type Written } from './journal.ts'
import { startPolls } from './polls.ts'
import type { Facts } from './protocol.ts'
import { Served } from './served.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string' }, hold: { type: 'string', default: '50000' }, wait: { type: 'boolean', default: false } },
})
const [folder] = positionals
if (!folder || !values.port) throw new Error('usage: main.ts <folder> --port N [--hold ms] [--wait]')

const loading = Promise.withResolvers<Parts>()
const control = await startControl(join(folder, 'socket'), loading.promise)
const token = (await readFile(join(folder, 'token'), 'utf8')).trim()
const served = new Served()
const take = ([key, json]: Written) => {
  if (json === null) return served.remove(key)
  try {
    served.put(served.check(key, json))
  } catch {
    // It was refused when it came, too, or an older version took it: the gateway hears of it when it says all again.
  }
}
const journal = await Journal.open(folder, take, () => served.all())

let ready = !values.wait
let handed: string | undefined
let bodies = 0
const polls = startPolls(
  {
    revision: () => journal.revision,
    body: () => served.body(),
    ready: () => ready,
    handed: (revision) => {
      if (revision !== handed) bodies++
      handed = revision
      control.handed(facts())
    },
  },
  token,
  Number(values.hold),
)

const listen = (port: number) =>
  new Promise<void>((done, fail) => {
    polls.server.once('error', fail)
    polls.server.listen(port, '127.0.0.1', () => {
      polls.server.off('error', fail)
      done()
    })
  })
const port = Number(values.port)
await listen(port).catch((error: NodeJS.ErrnoException) => {
  console.error(
    error.code === 'EADDRINUSE'
      ? `port ${port} of 127.0.0.1 is taken: name another one in traefik({ overHttp: { port } })`
      : error.message,
  )
  process.exit(1)
})

const facts = (): Facts => ({
  revision: journal.revision,
  size: served.size,
  port,
  bodies,
  ...(handed !== undefined && { handed }),
})
const agreed = () => {
  ready = true
  polls.changed()
}
loading.resolve({ served, journal, facts, agreed, letGo: polls.letGo })

const stop = async () => {
  await control.close()
  await polls.close()
  await journal.close()
  process.exit(0)
}
serveOn()
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
