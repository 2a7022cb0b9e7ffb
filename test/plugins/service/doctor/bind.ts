import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, tempRoot } from '../../../kit/index.ts'
import { bindPath } from '../../../kit/programs.ts'

export interface Bind {
  /** On 127.0.0.1. */
  readonly port: number
  close(): Promise<void>
}
/** By zone: lines without the SOA and the NS of the zone itself, which are added. */
export type Zones = Readonly<Record<string, readonly string[]>>

/** A real BIND that is an authority for the zones and a recursive server for the world, with other servers only for what is `delegated`: by default to the same port of 127.0.0.2. */
export const startBind = async (zones: Zones, delegated: Readonly<Record<string, string | undefined>> = {}): Promise<Bind> => {
  const [root, port] = [tempRoot('bind'), await freePort()]
  const at = (name: string) => join(root.path, name)
  const blocks = Object.keys(zones).map((zone) => `zone "${zone}" { type master; file "${at(zone)}"; };`)
  const forwards = Object.entries(delegated).map(
    ([zone, server = `127.0.0.2 port ${port}`]) => `zone "${zone}" { type forward; forward only; forwarders { ${server}; }; };`,
  )
  await writeFile(
    at('named.conf'),
    `options {
       directory "${root.path}"; pid-file none; session-keyfile none; listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
       recursion yes; allow-query { any; }; allow-recursion { any; }; dnssec-validation no; empty-zones-enable no; max-ncache-ttl 0;
     };
     zone "." { type master; file "${at('root')}"; };
     controls { };
     ${[...blocks, ...forwards].join('\n')}`,
  )
  const head = (zone: string, server: string) =>
    `$TTL 1\n${zone} SOA ${server} admin.${server} 1 60 60 60 1\n${zone} NS ${server}\n`
  const cuts = Object.keys(zones).map((zone) => `${zone}. NS ns.${zone}.\nns.${zone}. A 127.0.0.1`)
  await writeFile(at('root'), `${head('.', 'a.root.test.')}a.root.test. A 127.0.0.1\n${cuts.join('\n')}\n`)
  for (const [zone, lines] of Object.entries(zones))
    await writeFile(at(zone), `${head(`${zone}.`, `ns.${zone}.`)}ns.${zone}. A 127.0.0.1\n${lines.join('\n')}\n`)
  const child = spawn(bindPath(), ['-g', '-c', at('named.conf')], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit')
  let said = ''
  const running = new Promise<void>((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (/ running$/m.test(said)) resolve()
    })
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const close = async () => {
    process.off('exit', kill)
    if (child.exitCode === null) kill()
    await ended
    await root.remove()
  }
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`named did not start: ${said}`)), 30_000)
    running.finally(() => clearTimeout(timer))
  })
  const early = ended.then(() => {
    throw new Error(`named ended: ${said}`)
  })
  await Promise.race([running, early, late]).catch(async (error) => {
    await close()
    throw error
  })
  return {
    port,
    close,
  }
}
