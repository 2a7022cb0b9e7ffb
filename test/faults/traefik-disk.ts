import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createGateway, GatewayError, type RunningGateway, type WorkloadId } from '../../core/index.ts'
import { traefik } from '../../plugins/engine/traefik/index.ts'
import { processes } from '../../plugins/service/processes/index.ts'
import { httpApi } from '../../plugins/transport/http-api/index.ts'
import { anyHost, emptyMemory, issued, memory } from '../kit/engine/plugins.ts'
import { createAuthority, freePort, http1, httpBackend, openTls } from '../kit/index.ts'
import { traefikPath } from '../kit/programs.ts'
import { seen } from '../plugins/engine/traefik/seen.ts'

/**
 * Runs in a mount namespace where `<root>/proxy` and `<root>/run` are small file systems of their own: takes them away from a gateway
 * on a real Traefik by `fault` and gives them back by `mend`, and says what was answered and served.
 */
const [root = '', fault = ''] = process.argv.slice(2)
const proxy = join(root, 'proxy')
// Logs are open in the other.
const remount = (how: string) => execFileSync('sh', ['-c', 'mount -o "remount,$0" "$1"', how, proxy])
const fill = () => {
  for (const folder of ['proxy', 'run']) {
    const { bavail, bsize } = statfsSync(join(root, folder))
    writeFileSync(join(root, folder, '.filler.0123456789ab.tmp'), Buffer.alloc(bavail * bsize))
  }
}
const empty = () => {
  for (const folder of ['proxy', 'run']) rmSync(join(root, folder, '.filler.0123456789ab.tmp'), { force: true })
}
const [take, give] = fault === 'full' ? [fill, empty] : [() => remount('ro'), () => remount('rw')]

const ports = await Promise.all(Array.from({ length: 5 }, freePort))
const [http = 0, https = 0, api = 0, feed = 0, relay = 0] = ports
const authority = await createAuthority()
const web = await httpBackend('hello')
mkdirSync(proxy, { recursive: true })
chmodSync(proxy, 0o700)
const gateway: RunningGateway = await createGateway(
  {
    plugins: [
      anyHost(),
      issued(authority),
      memory(emptyMemory()),
      httpApi({ tcp: false }),
      processes({ backoff: { first: 0.2, most: 0.5 } }),
      traefik({
        command: traefikPath(),
        http: { port: http },
        https: { port: https },
        api: { port: api },
        overHttp: { port: feed },
        relay: { port: relay },
        routes: 'files',
        issue: 'gateway',
        drain: 1,
      }),
    ],
  },
  { root },
)
const set = (id: string, fqdn: string) =>
  gateway.dispatch({ do: 'set-fqdn', id: id as WorkloadId, fqdn, backends: [web.url], passthrough: false }).then(
    () => 'ok',
    (error: unknown) => (error instanceof GatewayError ? `${error.code}: ${error.message}` : `not a GatewayError: ${error}`),
  )
const get = async (host: string) => {
  const client = http1(await openTls({ port: https }, { name: host, ca: authority.root }))
  const { status, text } = await client.request('GET /', { Host: host })
  client.close()
  return status === 200 ? text : String(status)
}
const eventually = async (host: string) => {
  const until = performance.now() + 60_000
  let last = ''
  while (last !== 'hello' && performance.now() < until) {
    last = await get(host).catch(String)
    await new Promise((over) => setTimeout(over, 50))
  }
  return last
}
/** What an operator sees, once `gateway status` has these words. */
const seenWith = async (words: string) => {
  const until = performance.now() + 60_000
  let last = await seen(root)
  while (!last.status.includes(words) && performance.now() < until) last = await seen(root)
  return last
}
const state = () => gateway.status().plugins.find(({ name }) => name === 'engine/traefik')

const told: Record<string, unknown> = {}
told.before = await set('1-1-a', 'a.wild.test')
told.servedBefore = await eventually('a.wild.test')
take()
told.during = await set('1-1-b', 'b.wild.test')
told.seenDuring = await seenWith('engine/traefik degraded')
told.kept = gateway.routes.get('1-1-b' as WorkloadId) === undefined && !existsSync(join(proxy, '1-1-b.yaml'))
told.servedDuring = await get('a.wild.test')
process.kill(Number(state()?.facts?.pid), 'SIGKILL')
told.servedAfterKill = await eventually('a.wild.test')
give()
told.after = await set('1-1-b', 'b.wild.test')
told.servedAfter = [await eventually('a.wild.test'), await eventually('b.wild.test')]
told.seenAfter = await seenWith('engine/traefik ok')
await gateway.close()
await web.close()
console.log(JSON.stringify(told))
process.exit(0)
