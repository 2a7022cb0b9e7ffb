import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { bin } from '../cli/gateway-process.ts'
import { tempRoot } from '../kit/index.ts'
import { dnsmasqPath, traefikPath } from '../kit/programs.ts'
import { otherModules } from '../plugins/neighbours.ts'
import { startZinit } from '../plugins/service/zinit/start.ts'
import { buildGo } from './go.ts'

/** Where the unit's `/var/run/redis.sock` and `/var/cache/modules/gateway` are folders of the test. */
const ownPlaces = 'mount --bind "$0/run" /run && mount --bind "$0/cache" /var/cache && exec "$@"'

test.skipIf(process.getuid?.() !== 0)(
  'as root: the unit of etc/zinit passes its health test while callers keep the gateway busy, so that what waits for it starts',
  async () => {
    const here = new URL('.', import.meta.url)
    const [caller, zbusdebug] = [await buildGo(here, 'caller'), await buildGo(here, 'zbusdebug')]
    const machine = tempRoot('machine')
    onTestFinished(() => machine.remove())
    const others = await otherModules({ 'network@0.0.1 GetPublicConfig': 'error, no public config' })
    for (const folder of ['run', 'cache', 'bin', 'zinit']) mkdirSync(join(machine.path, folder))
    const program = (name: string) => join(machine.path, 'bin', name)
    writeFileSync(program('gateway'), `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`, { mode: 0o755 })
    symlinkSync(zbusdebug, program('zbusdebug'))
    symlinkSync(traefikPath(), program('traefik'))
    symlinkSync(dnsmasqPath(), program('dnsmasq'))
    const unit = (name: string, text: string) => writeFileSync(join(machine.path, 'zinit', `${name}.yaml`), text)
    copyFileSync(
      fileURLToPath(new URL('../../etc/zinit/gateway.yaml', import.meta.url)),
      join(machine.path, 'zinit/gateway.yaml'),
    )
    unit('boot', 'exec: "true"\noneshot: true\n')
    unit('networkd', 'exec: sleep 1000\n')
    unit('behind', 'exec: sleep 1000\nafter: [gateway]\n')

    // More callers than workers, who ask before anybody answers, and go on.
    const load = spawn(caller, ['-broker', others.broker, '-callers', '80', 'press'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void load.kill('SIGKILL'))
    await once(load.stdout, 'data')
    const places = ['unshare', '--mount', 'sh', '-c', ownPlaces, machine.path]
    symlinkSync(new URL(others.broker).pathname, join(machine.path, 'run/redis.sock'))
    const zinit = startZinit(machine.path, { path: `${join(machine.path, 'bin')}:${process.env.PATH}`, within: places })
    onTestFinished(() => zinit.close())
    await zinit.ready
    const state = async (name: string) => (await zinit.ask(`status ${name}`)).body.state
    await expect.poll(() => state('behind'), { timeout: 240_000, interval: 200 }).toBe('Running')
    expect([await state('gateway'), load.exitCode, load.signalCode]).toEqual(['Running', null, null])
  },
)
