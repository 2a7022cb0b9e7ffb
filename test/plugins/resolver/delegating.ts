import { spawn } from 'node:child_process'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import { freePort } from '../../kit/index.ts'
import { dnsmasqPath } from '../../kit/programs.ts'

/**
 * A real dnsmasq as the resolver of a CA: `hosts` and what is below them are at 127.0.0.1, the zones of `delegated` are asked of the
 * name server on their port of 127.0.0.1, and nothing else exists.
 */
export const startDelegating = async (o: { hosts: readonly string[]; delegated: Readonly<Record<string, number>> }) => {
  const port = await freePort()
  const child = spawn(
    dnsmasqPath(),
    [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--pid-file=',
      '--no-hosts',
      '--no-resolv',
      '--cache-size=0',
      '--bind-interfaces',
      '--listen-address=127.0.0.1',
      `--port=${port}`,
      ...Object.entries(o.delegated).map(([zone, server]) => `--server=/${zone}/127.0.0.1#${server}`),
      ...o.hosts.map((host) => `--address=/${host}/127.0.0.1`),
      ...new Set(o.hosts.map((host) => `--local=/${host.slice(host.lastIndexOf('.') + 1)}/`)),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  child.stderr.on('data', (chunk) => {
    said = (said + chunk).slice(-4_000)
  })
  const gone = Promise.race([once(child, 'exit'), once(child, 'error')])
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const resolver = new Resolver({ timeout: 300, tries: 1 })
  resolver.setServers([`127.0.0.1:${port}`])
  for (const until = Date.now() + 20_000; ; await after(50)) {
    const addresses = await resolver.resolve4(o.hosts[0] ?? '').catch(() => [])
    if (addresses.length > 0) break
    if (child.exitCode !== null || Date.now() > until) throw new Error(`dnsmasq does not answer: ${said}`)
  }
  return {
    address: `127.0.0.1:${port}`,
    close: async () => {
      process.off('exit', kill)
      kill()
      await gone
    },
  }
}
