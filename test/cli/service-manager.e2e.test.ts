import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freePort, tempRoot } from '../kit/index.ts'
import { follow, gatewayProcess } from './gateway-process.ts'

const has = (...program: [string, string]) => spawnSync(program[0], [program[1]]).status === 0
const canRun = has('python3', '--version') && has('systemd-notify', '--version')

/** Node has no datagram sockets of the unix kind. */
const receiver = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True: print(s.recv(4096).decode(), flush=True)
`

describe.skipIf(!canRun).for([[[]], [['--upgradable']]])('a gateway run with %s', ([more = []]) => {
  test('tells systemd when it serves, that it goes on running, and when it stops', async () => {
    const root = tempRoot('notify')
    onTestFinished(root.remove)
    const socket = join(root.path, 'notify')
    const systemd = follow('python3', ['-c', receiver, socket], { cwd: root.path })
    onTestFinished(() => systemd[Symbol.asyncDispose]())
    await systemd.until('bound')
    const ports = ['--http', `${await freePort()}`, '--https', `${await freePort()}`, '--api', `${await freePort()}`]
    const gateway = gatewayProcess(['--preset', 'local', '--root', join(root.path, 'root'), ...ports, ...more], {
      cwd: root.path,
      env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1500000' },
    })
    onTestFinished(() => gateway[Symbol.asyncDispose]())
    await systemd.until('READY=1')
    await systemd.until('WATCHDOG=1')
    expect(systemd.stdout.indexOf('READY=1')).toBeLessThan(systemd.stdout.indexOf('WATCHDOG=1'))
    expect(systemd.stdout).not.toContain('STOPPING=1')
    gateway.signal('SIGTERM')
    await systemd.until('STOPPING=1')
    expect(await gateway.ended).toBe(0)
  })
})
