// Speaks the protocol of zinit 0.2.14, the one of Zero-OS nodes, and really runs the units, by its rules:
// server.ts <socket> <folder> <milliseconds until a unit that ended is started again>. Without its socket it has no reason to be.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'yaml'
import { splitWords } from '../../../../lib/shell-words.ts'

interface Config {
  readonly exec: string
  /** Asked until it ends with 0; until then the unit is not running for those behind it. */
  readonly test: string
  readonly env: Readonly<Record<string, string>>
  readonly dir: string
  readonly oneshot: boolean
  readonly after: readonly string[]
}
interface Unit {
  readonly config: Config
  pid: number
  state: string
  target: 'Up' | 'Down'
  scheduled: boolean
}

const [socket = '', folder = '', delay = '2000'] = process.argv.slice(2)
const units = new Map<string, Unit>()
const ring: string[] = []
const write = (line: string) => {
  ring.push(line)
  if (ring.length > 2_000) ring.shift()
}

const load = (name: string): Config => {
  const text = attempt(() => readFileSync(join(folder, `${name}.yaml`), 'utf8'), 'failed to load service config')
  const {
    exec = '',
    test = '',
    env = {},
    dir = '',
    oneshot = false,
    after = [],
  } = attempt(() => parse(text), 'failed to load service config')
  if (!exec) throw new Error('failed to load service config')
  return { exec, test, env, dir, oneshot, after }
}
const attempt = <T>(work: () => T, otherwise: string): T => {
  try {
    return work()
  } catch {
    throw new Error(otherwise)
  }
}
const known = (name: string): Unit => {
  const unit = units.get(name)
  if (!unit) throw new Error(`service name ${JSON.stringify(name)} unknown`)
  return unit
}

const start = (exec: string, { env, dir }: Config): ChildProcess => {
  const [command = '', ...args] = splitWords(exec) ?? []
  const place = { env: { ...process.env, ...env }, cwd: dir || '/', detached: true }
  return spawn(command, args, { ...place, stdio: ['ignore', 'pipe', 'pipe'] })
}
const passes = ({ config }: Unit): Promise<boolean> =>
  new Promise((done) => {
    if (!config.test) return done(true)
    start(config.test, config)
      .once('error', () => done(false))
      .once('exit', (code) => done(code === 0))
  })
const test = async (unit: Unit, { pid }: ChildProcess) => {
  while (unit.pid === pid) {
    if ((await passes(unit)) && unit.pid === pid) {
      unit.state = 'Running'
      return
    }
    await sleep(2_000)
  }
}

const run = (name: string, unit: Unit): Promise<string> => {
  const child = start(unit.config.exec, unit.config)
  write(`[-] ${name}: ------------ [start] ------------`)
  if (child.stdout) createInterface(child.stdout).on('line', (line) => write(`[+] ${name}: ${line}`))
  if (child.stderr) createInterface(child.stderr).on('line', (line) => write(`[-] ${name}: ${line}`))
  child.once('spawn', () => {
    unit.pid = child.pid ?? 0
    unit.state = 'Spawned'
    void test(unit, child)
  })
  return new Promise((done) => {
    child.once('error', () => done('Failure'))
    child.once('exit', (code, signal) => {
      if (signal) done(`Error(Signaled(Pid(${child.pid}), ${signal}, false))`)
      else done(code === 0 ? 'Success' : `Error(Exited(Pid(${child.pid}), ${code}))`)
    })
  })
}

const watch = async (name: string, unit: Unit): Promise<void> => {
  if (unit.target === 'Down' || unit.scheduled) return
  unit.scheduled = true
  while (unit.target === 'Up') {
    if (!unit.config.after.every((other) => ['Running', 'Success'].includes(units.get(other)?.state ?? ''))) {
      unit.state = 'Blocked'
      await sleep(20)
      continue
    }
    unit.state = await run(name, unit)
    unit.pid = 0
    if (unit.state === 'Failure' || unit.config.oneshot) break
    await sleep(Number(delay))
  }
  unit.scheduled = false
}

const monitor = (name: string) => {
  const config = load(name)
  if (units.has(name)) throw new Error(`service ${JSON.stringify(name)} already monitored`)
  const unit: Unit = { config, pid: 0, state: 'Unknown', target: 'Up', scheduled: false }
  units.set(name, unit)
  void watch(name, unit)
}
const signal = (pid: number, name: string) => {
  try {
    process.kill(-pid, name as NodeJS.Signals)
  } catch {
    throw new Error('ESRCH: No such process')
  }
}
const commands: Readonly<Record<string, (name: string, argument: string) => unknown>> = {
  list: () => Object.fromEntries([...units].map(([name, { state }]) => [name, state])),
  status: (name) => {
    const { pid, state, target, config } = known(name)
    const after = Object.fromEntries(config.after.map((other) => [other, units.get(other)?.state ?? 'Unknown']))
    return { name, pid, state, target, after }
  },
  monitor,
  start: (name) => {
    const unit = known(name)
    unit.target = 'Up'
    void watch(name, unit)
  },
  stop: (name) => {
    const unit = known(name)
    unit.target = 'Down'
    if (unit.pid !== 0) signal(unit.pid, 'SIGTERM')
  },
  forget: (name) => {
    const { target, pid } = known(name)
    if (target === 'Up' || pid !== 0) throw new Error(`service ${JSON.stringify(name)} is up`)
    units.delete(name)
  },
  kill: (name, which) => {
    const { pid } = known(name)
    if (pid === 0) throw new Error(`service ${JSON.stringify(name)} is down`)
    signal(pid, which)
  },
}
const counts: Readonly<Record<string, number>> = { list: 1, kill: 3 }

const answer = (line: string): string => {
  const words = splitWords(line) ?? []
  const [verb = '', name = '', argument = ''] = words
  if (verb === 'log') return ring.map((each) => `${each}\n`).join('')
  try {
    const command = commands[verb]
    if (!command || words.length !== (counts[verb] ?? 2)) throw new Error(`unknown command '${verb}' or wrong arguments count`)
    return JSON.stringify({ state: 'ok', body: command(name, argument) ?? null })
  } catch (error) {
    return JSON.stringify({ state: 'error', body: (error as Error).message })
  }
}
const serve = (connection: Socket) => {
  connection.on('error', () => undefined)
  connection.once('data', (line) => connection.end(answer(line.toString().trim())))
}

const end = () => {
  for (const { pid } of units.values()) if (pid !== 0) process.kill(-pid, 'SIGKILL')
  process.exit(0)
}
for (const file of readdirSync(folder)) if (file.endsWith('.yaml')) monitor(file.slice(0, -'.yaml'.length))
rmSync(socket, { force: true })
createServer(serve).listen(socket)
process.on('SIGTERM', end)
setInterval(() => {
  if (!existsSync(folder)) end()
}, 500)
