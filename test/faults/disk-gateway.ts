import { readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createGateway, type GatewayError, parseOperation } from '../../core/index.ts'
import { level, localCa } from '../../plugins/index.ts'
import { anyHost } from '../kit/engine/plugins.ts'
import { endKept, freePort, http1, httpBackend, openTls } from '../kit/index.ts'
import { embeddedUnderTest } from '../plugins/engine/embedded/under-test.ts'
import { traefikUnderTest } from '../plugins/engine/traefik/under-test.ts'

/**
 * Runs where its root is a small file system of its own: fills that, sets, deletes and wants certificates, makes room, and says what was
 * answered, served and kept. An old route is asked all the time.
 */
const [root = '', engine = ''] = process.argv.slice(2)
const where = {
  http: await freePort(),
  https: await freePort(),
  drain: 1,
  retryAfter: 1,
  addresses: ['127.0.0.1', '::1'],
  root,
} as const
const web = await httpBackend('hello')
const start = async () => {
  const plugins = await (engine === 'traefik' ? traefikUnderTest(where) : embeddedUnderTest(where))
  return createGateway({ plugins: [anyHost(), localCa(), level(), ...[plugins].flat()] }, { root })
}
let gateway = await start()
const told = (operation: object) =>
  gateway.dispatch(parseOperation(operation), { wait: 'live' }).then(
    () => 'ok',
    ({ code, message }: GatewayError) => `${code}: ${message}`,
  )
const set = (id: string, fqdn: string) => told({ do: 'set-fqdn', id, fqdn, backends: [web.url] })
const connect = async (host: string) => http1(await openTls({ port: where.https }, { name: host }))
const get = async (host: string): Promise<string> => {
  try {
    const client = await connect(host)
    const { status, text } = await client.request('GET /', { Host: host })
    client.close()
    return status === 200 ? text : String(status)
  } catch {
    return 'none'
  }
}
const becomes = async (read: () => Promise<string>, wanted: string) => {
  let last = await read()
  for (const until = performance.now() + 60_000; last !== wanted && performance.now() < until; last = await read()) await wait(50)
  return last
}

const report: Record<string, unknown> = {}
report.before = [await set('1-1-old', 'old.test'), await set('1-2-gone', 'gone.test')]
const old = await connect('old.test')
const oldRoute = { served: 0, broke: '' }
let asking = true
const load = (async () => {
  while (asking && !oldRoute.broke) {
    const answer = await old.request('GET /', { Host: 'old.test' }).catch(String)
    if (typeof answer === 'string' || answer.text !== 'hello')
      oldRoute.broke = String(typeof answer === 'string' ? answer : answer.status)
    else oldRoute.served++
    await wait(5)
  }
})()
const ca = () => readFileSync(join(root, 'ca', 'root.key'), 'utf8')
const key = ca()

const filler = join(root, 'filler')
const fill = () => {
  const { bavail, bsize } = statfsSync(root)
  writeFileSync(filler, Buffer.alloc(bavail * bsize))
}
const during: string[] = []
// The last page of a log has room: full is when a write is refused. Each Set wants a certificate of its own.
for (let n = 0; n < 200 && !during.at(-1)?.startsWith('STORAGE'); n++) {
  rmSync(filler, { force: true })
  fill()
  during.push(await set(`2-${n}-full`, `full${n}.test`))
}
const refused = during.length - 1
report.during = during.at(-1)
report.deleted = await told({ do: 'delete', id: '1-2-gone' })
report.whileFull = [gateway.routes.get(`2-${refused}-full` as never), await get(`full${refused}.test`), await get('gone.test')]
report.agree = (gateway.routes.get('1-2-gone' as never) !== undefined) === ((await get('gone.test')) === 'hello')
rmSync(filler)
report.after = [
  await becomes(() => set(`2-${refused}-full`, `full${refused}.test`), 'ok'),
  await becomes(() => get(`full${refused}.test`), 'hello'),
  await becomes(() => told({ do: 'delete', id: '1-2-gone' }), 'ok'),
  await becomes(() => get('gone.test').then((text) => (text === 'hello' ? text : 'none')), 'none'),
]
report.sameKey = ca() === key
const idsNow = () => [...gateway.routes.all()].map(({ id }) => id).sort()
const ids = idsNow()
// On a fast machine all of this took a moment only: the old route is asked on behind it.
for (const before = oldRoute.served; !oldRoute.broke && oldRoute.served < before + 10; ) await wait(5)
asking = false
await load
old.close()
report.old = { broke: oldRoute.broke, served: oldRoute.served >= 10 }
await gateway.close()
gateway = await start()
report.kept = JSON.stringify(ids) === JSON.stringify(idsNow()) && ids.length > 1
report.served = [await becomes(() => get('old.test'), 'hello'), await becomes(() => get(`full${refused}.test`), 'hello')]
await gateway.close()
await endKept(root)
await web.close()
console.log(JSON.stringify(report))
process.exit(0)
