import { execFile } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { bin, follow, gatewayProcess } from '../cli/gateway-process.ts'
import { tempRoot } from '../kit/index.ts'
import { endKept } from '../kit/kept.ts'
import { dnsmasqPath, traefikPath } from '../kit/programs.ts'
import { loopbackConfig, otherModules } from '../plugins/neighbours.ts'
import { startZinit } from '../plugins/service/zinit/start.ts'
import { buildGo, jsonOf } from './go.ts'
import { domain, leaveRoute, nodeConfig, publicNamespace } from './node.ts'

const run = promisify(execFile)

test.skipIf(process.getuid?.() !== 0)(
  'as root: on a machine without zinit the public side runs in a namespace that comes later and is made anew, the gateway outside of it',
  async () => {
    const root = tempRoot('zos')
    const others = await otherModules({ 'network@0.0.1 GetPublicConfig': loopbackConfig(domain) })
    const there = publicNamespace()
    const file = nodeConfig(root.path, [
      `importRoutes({ from: ['${root.path}/proxy'] })`,
      `dnsmasq({ command: '${dnsmasqPath()}', netns: '${there.name}' })`,
      `traefik({ command: '${traefikPath()}', netns: '${there.name}', keepServing: true, acme: { caServer: 'https://127.0.0.1:9/dir' } })`,
    ])
    leaveRoute(root.path, 9000)
    onTestFinished(async () => {
      await endKept(root.path)
      await root.remove()
    })
    const flags = ['--config', file, '--root', root.path, '--broker', others.broker, '--netns', there.name]
    await using gateway = gatewayProcess([...flags, '--supervisor', 'processes'], { cwd: root.path })
    await gateway.until('is up: 1 routes')

    await there.make('first')
    await expect.poll(() => there.get(), { timeout: 90_000, interval: 200 }).toBe('first')
    await there.remove()
    await there.make('second')
    await expect.poll(() => there.get(), { timeout: 90_000, interval: 200 }).toBe('second')

    gateway.signal('SIGTERM')
    expect(await gateway.ended).toBe(0)
    expect(await there.get()).toBe('second')
  },
)

/** Where `/run` is that of a machine with a zinit, which is the test's own. */
const besideZinit = 'mount --bind "$0" /run && exec "$@"'

test.for([
  ['without zinit', 'service/processes'],
  ['with zinit', 'service/zinit'],
] as const)(
  "as root: the manual's command runs as it is, the preset chosen by a variable, on a node without a public config, %s",
  { skip: process.getuid?.() !== 0 },
  async ([, supervisor]) => {
    const [root, programs, machine] = [tempRoot('zos'), tempRoot('programs'), tempRoot('machine')]
    const others = await otherModules({ 'network@0.0.1 GetPublicConfig': 'error, no public config' })
    symlinkSync(traefikPath(), join(programs.path, 'traefik'))
    symlinkSync(dnsmasqPath(), join(programs.path, 'dnsmasq'))
    onTestFinished(async () => {
      await endKept(root.path)
      for (const folder of [root, programs, machine]) await folder.remove()
    })
    const zinit = startZinit(machine.path)
    onTestFinished(() => zinit.close())
    await zinit.ready
    const env = {
      ...process.env,
      GATEWAY_PRESET: 'zos',
      GATEWAY_NETNS: `nobody-${process.pid}`,
      PATH: `${programs.path}:${process.env.PATH}`,
    }
    const command = [process.execPath, bin, '--broker', others.broker, '--root', root.path]
    const beside = supervisor === 'service/zinit' ? ['sh', '-c', besideZinit, machine.path] : []
    await using gateway = follow('unshare', ['--mount', ...beside, ...command], { cwd: root.path, env })
    await gateway.until('is up: 0 routes')
    const caller = await buildGo(new URL('.', import.meta.url), 'caller')
    const calls = [{ do: 'metrics' }, { do: 'set-fqdn', id: '1-1-a', host: 'a.example.org', backends: ['http://10.1.2.3'] }]
    expect(await jsonOf(caller, ['-broker', others.broker, 'deployed', JSON.stringify(calls)])).toEqual([
      { metrics: { Request: {}, Response: {} }, error: '' },
      { error: expect.stringContaining('NO_PUBLIC_CONFIG: gateway is not supported on this node') },
    ])
    const told = JSON.parse((await run(process.execPath, [bin, 'status', '--root', root.path, '--json']).catch(said)).stdout)
    const of = (name: string) => told.plugins.find((plugin: { name: string }) => plugin.name === name)?.state
    expect([told.ready, of('engine/traefik')]).toEqual([expect.any(Boolean), expect.stringMatching(/degraded|down/)])
    expect(of(supervisor)).toEqual(expect.any(String))
    gateway.signal('SIGTERM')
    expect(await gateway.ended).toBe(0)
  },
)

/** What a command wrote that ended with an error, as `status` does of a gateway that is not ready. */
const said = (error: unknown) => error as { readonly stdout: string }
