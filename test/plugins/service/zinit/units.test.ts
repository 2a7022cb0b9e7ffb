import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, it, onTestFinished, vi } from 'vitest'
import { parse } from 'yaml'
import type { Service, Supervisor } from '../../../../core/index.ts'
import { netnsNamed, netnsOf } from '../../../../lib/netns.ts'
import { splitWords } from '../../../../lib/shell-words.ts'
import { processes } from '../../../../plugins/service/processes/index.ts'
import { type ZinitOptions, zinit } from '../../../../plugins/service/zinit/index.ts'
import { setUpAlone, tempRoot } from '../../../kit/index.ts'
import { isRunning } from '../../../kit/kept.ts'
import { ipPath } from '../../../kit/programs.ts'
import { startZinit } from './start.ts'

const patience = { timeout: 60_000, interval: 20 }
vi.setConfig({ testTimeout: 120_000 })
const run = promisify(execFile)

/** A zinit, and gateways beside it. */
const machine = async () => {
  const root = tempRoot('zinit')
  const server = startZinit(root.path, { delay: 500 })
  onTestFinished(async () => {
    await server.close()
    await root.remove()
  })
  await server.ready
  const open = async (options: ZinitOptions = {}) => {
    const alone = await setUpAlone(zinit({ socket: server.socket, folder: server.folder, ...options }), join(root.path, 'root'))
    onTestFinished(() => alone.close())
    return { ...alone, supervisor: alone.api.supervisor as Supervisor }
  }
  const fileOf = (name: string) => join(server.folder, `${name}.yaml`)
  const unitOf = (name: string) => parse(readFileSync(fileOf(name), 'utf8'))
  return { server, open, fileOf, unitOf, tell: server.ask, root: root.path }
}
const sleeper = (name: string, more: Partial<Service> = {}): Service => ({
  name,
  command: 'sleep',
  args: ['1000'],
  stopSeconds: 1,
  keep: true,
  ...more,
})

it('writes a unit as the others of a node are: exec, env, its folder; for root alone', async () => {
  const { open, unitOf, fileOf, tell } = await machine()
  const { supervisor } = await open()
  const odd = ['a b', "it's", '$HOME', '"', '\\', 'ünï', '']
  const one = await supervisor.run({
    ...sleeper('odd'),
    command: 'sh',
    args: ['-c', 'exec sleep 1000', ...odd],
    env: { SOME: 'x: "y" #z\n' },
  })
  await one.ready
  expect(statSync(fileOf('odd')).mode & 0o777).toBe(0o600)
  const unit = unitOf('odd')
  expect(splitWords(unit.exec)?.slice(1)).toEqual(['-c', 'exec sleep 1000', ...odd])
  expect(unit).toMatchObject({ dir: '/', env: { SOME: 'x: "y" #z\n', PATH: process.env.PATH } })
  const cmdline = readFileSync(`/proc/${one.status().pid}/cmdline`, 'utf8')
  expect(cmdline).toContain('sleep')
  expect(await tell('status odd')).toMatchObject({ state: 'ok', body: { name: 'odd', pid: one.status().pid, target: 'Up' } })
  await one.stop()
  expect(await tell('status odd')).toEqual({ state: 'error', body: 'service name "odd" unknown' })
})

it('takes over a unit that the Go module wrote, by a link, and ends it for good when it is stopped', async () => {
  const { open, fileOf, root, tell } = await machine()
  const file = join(root, 'nnc-1-2-a.yaml')
  const args = [
    '-c',
    'exec sleep 1000',
    'nnc',
    '--listen',
    '127.0.0.1:2345',
    '--namespace',
    '/var/run/netns/n-a',
    '--target',
    '10.1.2.3:80',
  ]
  writeFileSync(file, `exec: sh -c 'exec sleep 1000' ${args.slice(2).join(' ')}\n`)
  symlinkSync(file, fileOf('nnc-1-2-a'))
  await tell('monitor nnc-1-2-a')
  const pidOf = async () => (await tell('status nnc-1-2-a')).body.pid
  await expect.poll(pidOf, patience).toBeGreaterThan(1)
  const pid = await pidOf()
  const { supervisor } = await open()
  expect(await supervisor.left?.('nnc-1-2-a')).toEqual({ command: 'sh', args })
  expect(await supervisor.left?.('nnc-1-2-b')).toBeUndefined()
  const one = await supervisor.run(sleeper('nnc-1-2-a', { command: 'sh', args }))
  await one.ready
  expect([one.adopted, one.status().pid]).toEqual([true, pid])
  await one.stop()
  expect([isRunning(pid), existsSync(fileOf('nnc-1-2-a')), existsSync(file)]).toEqual([false, false, true])
})

it('puts another in the place of a unit of that name which is something else', async () => {
  const { open, fileOf, tell } = await machine()
  writeFileSync(fileOf('traefik'), 'exec: sleep 2000\n')
  await tell('monitor traefik')
  await expect.poll(async () => (await tell('status traefik')).body.pid, patience).toBeGreaterThan(1)
  const { pid } = (await tell('status traefik')).body
  const { supervisor } = await open()
  const one = await supervisor.run(sleeper('traefik'))
  await one.ready
  expect([one.adopted, isRunning(pid)]).toEqual([false, false])
})

it('says that zinit is away, loses nothing by that, and goes on when it is back', async () => {
  const { open, server } = await machine()
  const { supervisor, health } = await open()
  const one = await supervisor.run(sleeper('one'))
  const gone = await supervisor.run(sleeper('gone'))
  await Promise.all([one.ready, gone.ready])
  const [pid, last] = [one.status().pid ?? 0, gone.status().pid ?? 0]
  server.away()
  await expect
    .poll(health, patience)
    .toMatchObject({ state: 'degraded', reason: expect.stringContaining(`zinit at ${server.socket}`) })
  expect(one.status()).toMatchObject({ state: 'up', pid })
  const late = await supervisor.run(sleeper('late'))
  expect(late.status()).toMatchObject({ state: 'backoff', lastError: expect.stringContaining('zinit at') })
  await gone.stop()
  expect([isRunning(pid), isRunning(last)]).toEqual([true, true])
  server.back()
  await late.ready
  await expect.poll(() => isRunning(last), patience).toBe(false)
  await expect.poll(health, patience).toMatchObject({ state: 'ok' })
  await expect.poll(server.units, patience).toEqual(['late', 'one'])
})

it('starts a gateway without zinit, and comes up when that is there', async () => {
  const root = tempRoot('zinit')
  const folder = join(root.path, 'zinit')
  mkdirSync(folder)
  const alone = await setUpAlone(zinit({ socket: join(root.path, 'zinit.sock'), folder }), join(root.path, 'root'))
  const one = await (alone.api.supervisor as Supervisor).run(sleeper('one'))
  expect(one.status().state).toBe('backoff')
  const server = startZinit(root.path, { delay: 500 })
  onTestFinished(async () => {
    await alone.close()
    await server.close()
    await root.remove()
  })
  await one.ready
  expect(one.status().state).toBe('up')
})

it.each([
  ['is slow', "require('net').createServer(() => undefined)"],
  ['answers garbage', "require('net').createServer((s) => s.end('garbage'))"],
  ['answers another protocol', `require('net').createServer((s) => s.end('{"jsonrpc":"2.0","error":{"code":-32700}}'))`],
])('says so of a zinit that %s', async (_, server) => {
  const root = tempRoot('zinit')
  const [socket, folder] = [join(root.path, 'zinit.sock'), join(root.path, 'zinit')]
  mkdirSync(folder)
  const child = spawn(process.execPath, ['-e', `${server}.listen(${JSON.stringify(socket)})`], { stdio: 'inherit' })
  const alone = await setUpAlone(zinit({ socket, folder }), join(root.path, 'root'))
  onTestFinished(async () => {
    await alone.close()
    child.kill()
    await root.remove()
  })
  await expect.poll(() => existsSync(socket), patience).toBe(true)
  const one = await (alone.api.supervisor as Supervisor).run(sleeper('one'))
  await expect.poll(() => one.status().lastError, patience).toContain(`zinit at ${socket}`)
  expect(one.status().state).toBe('backoff')
  await expect.poll(alone.health, patience).toMatchObject({ state: 'degraded' })
})

it('leaves one stopped that somebody stopped, says so, and follows it when they start it again', async () => {
  const { open, tell } = await machine()
  const { supervisor } = await open()
  const one = await supervisor.run(sleeper('one'))
  await one.ready
  await tell('stop one')
  await expect
    .poll(() => one.status(), patience)
    .toMatchObject({ state: 'backoff', lastError: 'it was stopped: zinit start one' })
  await after(1_500)
  expect((await tell('status one')).body).toMatchObject({ pid: 0, target: 'Down' })
  await tell('start one')
  await expect.poll(() => one.status(), patience).toMatchObject({ state: 'up' })
})

it('makes a unit again that somebody took out', async () => {
  const { open, tell, fileOf } = await machine()
  const { supervisor } = await open()
  const one = await supervisor.run(sleeper('one'))
  await one.ready
  const { pid } = one.status()
  await tell('stop one')
  await expect.poll(async () => (await tell('status one')).body.pid, patience).toBe(0)
  await tell('forget one')
  rmSync(fileOf('one'))
  const running = () => (one.status().state === 'up' ? one.status().pid : pid)
  await expect.poll(running, patience).not.toBe(pid)
})

it('ends units of before that are not to be kept, and later those that nobody asks for, and touches nobody else’s', async () => {
  const { open, tell, fileOf, server } = await machine()
  writeFileSync(fileOf('networkd'), 'exec: sleep 3000\n')
  await tell('monitor networkd')
  const before = await open()
  await before.supervisor.run(sleeper('kept'))
  await before.supervisor.run(sleeper('unasked'))
  await before.supervisor.run(sleeper('bound', { keep: false }))
  const unit = readFileSync(fileOf('bound'))
  await before.close()
  // As a gateway that was killed leaves it.
  writeFileSync(fileOf('bound'), unit)
  await tell('monitor bound')
  await expect.poll(async () => (await tell('status bound')).body.pid, patience).toBeGreaterThan(1)
  const { pid } = (await tell('status bound')).body
  const now = await open({ leftoverSeconds: 1 })
  expect(isRunning(pid)).toBe(false)
  const kept = await now.supervisor.run(sleeper('kept'))
  expect(kept.adopted).toBe(true)
  await expect.poll(server.units, patience).toEqual(['kept', 'networkd'])
})

it('puts a unit in the place of a child that processes() left, once zinit answers, and ends the one that nobody asks for', async () => {
  const { open, server, root } = await machine()
  const before = await setUpAlone(processes(), join(root, 'root'))
  const children = before.api.supervisor as Supervisor
  const pids: number[] = []
  for (const name of ['one', 'unasked']) {
    const child = await children.run(sleeper(name))
    await child.ready
    pids.push(child.status().pid ?? 0)
  }
  await before.close()
  // Of another process than this, as always.
  for (const name of ['one', 'unasked']) {
    const record = join(root, 'root', 'run', `${name}.json`)
    writeFileSync(record, JSON.stringify({ ...JSON.parse(readFileSync(record, 'utf8')), gateway: 1 }))
  }
  server.away()
  const { supervisor } = await open({ leftoverSeconds: 1 })
  const one = await supervisor.run(sleeper('one'))
  expect([one.status().state, isRunning(pids[0] ?? 0)]).toEqual(['backoff', true])
  server.back()
  await one.ready
  expect(pids.map(isRunning)[0]).toBe(false)
  expect(await server.pidOf('one')).toBe(one.status().pid)
  await expect.poll(() => pids.map(isRunning), patience).toEqual([false, false])
})

it('says what runs on of a gateway that is gone, and ends it: its own units and its children, and nobody else’s', async () => {
  const { open, server, fileOf, root } = await machine()
  writeFileSync(fileOf('networkd'), 'exec: sleep 3000\n')
  await server.ask('monitor networkd')
  const before = await open()
  const [one, two] = [await before.supervisor.run(sleeper('one')), await before.supervisor.run(sleeper('two'))]
  await Promise.all([one.ready, two.ready])
  await before.close()
  const plugin = zinit({ socket: server.socket, folder: server.folder })
  const left = (await plugin.leftRunning?.(join(root, 'root'))) ?? []
  expect(left.map(({ name, pid }) => [name, isRunning(pid)]).sort()).toEqual([
    ['one', true],
    ['two', true],
  ])
  expect(await plugin.leftRunning?.(join(root, 'another'))).toEqual([])
  server.away()
  const away = { code: 'PROCESS_FAILED', message: expect.stringContaining('the units of this gateway cannot be ended: zinit at') }
  await expect(plugin.leftRunning?.(join(root, 'root'))).rejects.toMatchObject(away)
  await expect(left[0]?.end()).rejects.toMatchObject(away)
  server.back()
  for (const each of left) await each.end()
  for (const each of left) await each.end()
  expect(left.map(({ pid }) => isRunning(pid))).toEqual([false, false])
  expect([await server.units(), existsSync(fileOf('one')), existsSync(fileOf('networkd'))]).toEqual([['networkd'], false, true])
})

it.runIf(process.getuid?.() === 0)(
  'as root: runs in a network namespace that comes later, and anew where that was made anew',
  async () => {
    const name = `zosgw-z-${process.pid}`
    const ip = (...words: string[]) => run(ipPath(), ['netns', ...words])
    onTestFinished(() =>
      ip('delete', name).then(
        () => undefined,
        () => undefined,
      ),
    )
    const { open, unitOf } = await machine()
    const { supervisor } = await open()
    const ends: string[] = []
    const one = await supervisor.run(sleeper('public', { netns: name, onExit: (why) => ends.push(why) }))
    expect(one.status()).toMatchObject({ state: 'backoff', lastError: `the network namespace '${name}' is not there` })
    await ip('add', name)
    await one.ready
    const { pid } = one.status()
    expect(splitWords(unitOf('public').exec)?.slice(0, 4)).toEqual(['ip', 'netns', 'exec', name])
    // Its pid is there before it is inside.
    await expect.poll(() => netnsOf(pid ?? 0), patience).toBe(netnsNamed(name))
    await ip('delete', name)
    await ip('add', name)
    await expect.poll(() => one.status(), patience).toMatchObject({ state: 'up', restarts: 1 })
    expect(one.status().pid).not.toBe(pid)
    expect(ends).toEqual([`the network namespace '${name}' was made anew`])
  },
)

it('refuses an option where it is written', () =>
  expect(() => zinit({ leftoverSeconds: 0 })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' })))
