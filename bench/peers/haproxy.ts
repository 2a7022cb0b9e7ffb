import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../test/kit/port.ts'
import { untilServed } from '../parts/client.ts'
import { find } from '../parts/find.ts'
import { start } from '../parts/process.ts'
import type { Given, Peer } from './peer.ts'

/** HAProxy as the floor of what a proxy costs; undefined where it is not installed. */
export const startHaproxy = async ({ host, backendPort, pair, folder }: Given): Promise<Peer | undefined> => {
  const program = find('haproxy')
  if (!program) return undefined
  const [https, http] = [await freePort(), await freePort()]
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(
    file,
    `defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
  option forwardfor
frontend all
  bind 127.0.0.1:${https} ssl crt ${pair} alpn http/1.1
  bind 127.0.0.1:${http}
  acl known hdr(host),field(1,:) -m str ${host}
  use_backend workload if known
backend workload
  server one 127.0.0.1:${backendPort}
`,
  )
  const process = await start(program, ['-db', '-f', file], { until: () => untilServed(https, host, performance.now()) })
  return { name: 'HAProxy', process, https, http }
}
