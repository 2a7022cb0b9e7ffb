import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { ask } from '../../../lib/dns/ask.ts'
import { freePort } from '../../kit/index.ts'
import { bindPath, knotPath } from '../../kit/programs.ts'

export const keyName = 'gateway-key'
const zoneFile = (zone: string) => `$ORIGIN ${zone}.
$TTL 60
@ SOA ns.${zone}. hostmaster.${zone}. 1 3600 600 86400 1
@ NS ns.${zone}.
ns A 127.0.0.1
`
interface NamedOptions {
  readonly zones: readonly string[]
  readonly algorithm: string
  /** Base64. */
  readonly secret: string
}

/** A name server in its own folder on a loopback port, which takes updates by one key. */
const startNamed = async (port: number, zone: string, command: string, args: readonly string[]) => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      said = (said + chunk).slice(-4_000)
    })
  const failed = Promise.race([once(child, 'error').then(([error]) => String(error)), once(child, 'exit').then(() => 'it ended')])
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const server = { host: '127.0.0.1', port }
  for (const until = Date.now() + 20_000; ; ) {
    const reply = await ask(server, zone, 'SOA', { timeout: 300 }).catch(() => undefined)
    if (reply?.answers.length) break
    const end = await Promise.race([failed, after(50, undefined)])
    if (end !== undefined || Date.now() > until) throw new Error(`${command} does not answer: ${end ?? 'late'}: ${said}`)
  }
  return {
    ...server,
    propagation: { servers: [`127.0.0.1:${port}`], seconds: 20 },
    close: async () => {
      process.off('exit', kill)
      kill()
      await failed
    },
  }
}
export type Named = Awaited<ReturnType<typeof startNamed>>

export const startKnot = async (root: string, { zones, algorithm, secret }: NamedOptions): Promise<Named> => {
  const port = await freePort()
  const folder = join(root, 'knot')
  mkdirSync(folder)
  for (const zone of zones) writeFileSync(join(folder, `${zone}.zone`), zoneFile(zone))
  writeFileSync(
    join(folder, 'knot.conf'),
    `server:
    rundir: "${folder}"
    listen: 127.0.0.1@${port}
database:
    storage: "${folder}"
log:
  - target: stderr
    any: warning
key:
  - id: ${keyName}
    algorithm: ${algorithm}
    secret: ${secret}
acl:
  - id: challenge
    key: ${keyName}
    action: update
    update-type: TXT
template:
  - id: default
    storage: "${folder}"
    file: "%s.zone"
    acl: challenge
zone:
${zones.map((zone) => `  - domain: ${zone}\n`).join('')}`,
  )
  return startNamed(port, zones[0]!, knotPath(), ['-c', join(folder, 'knot.conf')])
}

export const startBind = async (root: string, { zones, algorithm, secret }: NamedOptions): Promise<Named> => {
  const port = await freePort()
  const folder = join(root, 'bind')
  mkdirSync(folder)
  for (const zone of zones) writeFileSync(join(folder, `${zone}.zone`), zoneFile(zone))
  writeFileSync(
    join(folder, 'named.conf'),
    `key "${keyName}" { algorithm ${algorithm}; secret "${secret}"; };
options {
  directory "${folder}"; pid-file none; session-keyfile "${folder}/session.key"; recursion no; dnssec-validation no;
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; }; allow-query { any; };
};
controls { };
${zones.map((zone) => `zone "${zone}" { type primary; file "${zone}.zone"; update-policy { grant ${keyName} subdomain ${zone} TXT; }; };`).join('\n')}
`,
  )
  return startNamed(port, zones[0]!, bindPath(), ['-g', '-n', '1', '-c', join(folder, 'named.conf')])
}
