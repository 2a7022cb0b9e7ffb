import { type ChildProcess, spawn } from 'node:child_process'
import { GatewayError, isErrorCode, reason } from '../core/errors.ts'
import { desk } from './parent-desk.ts'
import { type Held, hold } from './parent-sockets.ts'
import { beat, type Coming, childVariable, type FromChild, type ToChild } from './parent-words.ts'
import { serviceManager } from './service-manager.ts'

/** Milliseconds until a gateway that crashed is started again: the first time, and at most. */
const [soonest, latest] = [100, 30_000]
/** Milliseconds that a gateway may take to start, and to give up what it holds. */
const patience = 120_000

type Say = (level: 'info' | 'warn' | 'error', message: string) => void
interface Child {
  readonly process: ChildProcess
  /** Resolves with the first of these that it says; rejects when it ends before, or takes too long. */
  said(...wanted: FromChild['say'][]): Promise<FromChild>
  /** Nothing where it has ended. */
  tell(word: ToChild, held?: Held): void
  up: boolean
  /** Looks since it last said that it is alive; undefined until it says so first, as versions before 0.2 never do. */
  silent: number | undefined
}

/**
 * Holds the listening sockets, and runs the gateway in a child that accepts on them: a crash refuses nobody, and an upgrade starts the next
 * gateway beside the one that serves. It is small and reads no config, so that it seldom has to change itself.
 */
export const runParent = async (say: Say): Promise<void> => {
  const sockets = new Map<string, Promise<Held>>()
  let current: Child | undefined
  let upgrading: Promise<number> | undefined
  let stopping = false
  let crashes = 0
  let everUp = false
  const all = new Set<Child>()
  const manager = serviceManager(process.env, (why) => say('error', why))

  const start = (coming: Coming): Child => {
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...process.argv.slice(2)], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, [childVariable]: coming },
    })
    const started = newChild(child)
    all.add(started)
    child.on('message', (word: FromChild) => void hear(started, word))
    const gone = (code: number | null, signal: NodeJS.Signals | null) => {
      if (all.delete(started)) ended(started, code, signal)
    }
    child.once('exit', gone)
    // What cannot be started does not exit either; and a word that did not reach one that just ended is lost with it.
    child.on('error', (error) => {
      say('error', `the process of a gateway: ${reason(error)}`)
      if (child.pid === undefined) gone(null, null)
    })
    return started
  }

  const hear = async (child: Child, word: FromChild): Promise<void> => {
    switch (word.say) {
      case 'root': {
        const taken = await control.open(word.root).then(
          () => false,
          (error) => {
            if (!(error instanceof GatewayError)) say('error', `no upgrade can be asked for: ${reason(error)}`)
            return error instanceof GatewayError
          },
        )
        return child.tell({ do: 'root', taken })
      }
      case 'listen': {
        const key = JSON.stringify(word.address)
        const holding = sockets.get(key) ?? hold(word.address)
        if (!('port' in word.address) || word.address.port !== 0) sockets.set(key, holding)
        try {
          child.tell({ do: 'listen', number: word.number }, await holding)
        } catch (error) {
          sockets.delete(key)
          const code = error instanceof Error && 'code' in error ? String(error.code) : 'EINVAL'
          child.tell({ do: 'listen', number: word.number, code, message: reason(error) })
        }
        return
      }
      case 'free': {
        // One that did not get to serve has nothing to give away.
        if (child !== current) return
        const key = JSON.stringify(word.address)
        const holding = sockets.get(key)
        sockets.delete(key)
        await holding?.then((held) => held.close()).catch(() => undefined)
        return
      }
      case 'bytes':
        if (child !== current) current?.tell({ do: 'bytes', bytes: word.bytes })
        return
      case 'up':
        child.up = true
        if (!everUp) manager?.ready()
        everUp = true
        return
      case 'alive':
        child.silent = 0
        return
      case 'prepared':
      case 'released':
      case 'resumed':
      case 'refused':
    }
  }

  const ended = (child: Child, code: number | null, signal: NodeJS.Signals | null) => {
    if (child !== current) {
      if (stopping && all.size === 0) process.exit(code ?? 0)
      return
    }
    current = undefined
    if (stopping || !everUp) {
      if (all.size === 0) process.exit(code ?? (stopping ? 0 : 70))
      return
    }
    if (child.up) crashes = 0
    const wait = Math.min(latest, soonest * 2 ** Math.min(crashes++, 20))
    say('error', `the gateway ended with ${signal ?? code}; it is started again in ${wait} ms, and who connects waits`)
    setTimeout(() => {
      if (!stopping && !current) current = start('again')
    }, wait)
  }

  /** Resolves with the pid of the gateway that serves from now on. Whatever fails, the one before serves on. */
  const upgrade = async (): Promise<number> => {
    const before = current
    if (!before?.up || stopping) throw new GatewayError('BUSY', 'the gateway does not serve yet', 'ask again once it is ready')
    const next = start('next')
    try {
      await next.said('prepared')
      before.tell({ do: 'release' })
      const answer = await before.said('released', 'refused')
      if (answer.say === 'refused') throw errorOf(answer)
    } catch (error) {
      next.process.kill('SIGKILL')
      throw unchanged(error)
    }
    try {
      next.tell({ do: 'begin' })
      await next.said('up')
    } catch (error) {
      next.process.kill('SIGKILL')
      before.tell({ do: 'resume' })
      const answer = await before.said('resumed', 'refused')
      throw answer.say === 'refused' ? stuck(error, answer) : unchanged(error)
    }
    current = next
    crashes = 0
    before.tell({ do: 'leave' })
    say('info', `gateway ${next.process.pid} serves, ${before.process.pid} drains`)
    return next.process.pid ?? 0
  }
  const once = (): Promise<number> => {
    if (upgrading) throw new GatewayError('BUSY', 'an upgrade is under way', 'wait for it')
    upgrading = upgrade().finally(() => {
      upgrading = undefined
    })
    return upgrading
  }
  const control = desk(async () => once())

  process.on('SIGUSR2', () => {
    Promise.resolve()
      .then(once)
      .catch((error) => say('error', `the upgrade failed: ${error instanceof GatewayError ? error.text : reason(error)}`))
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (!stopping) manager?.stopping()
      stopping = true
      if (all.size === 0) process.exit(0)
      for (const child of all) child.process.kill(signal)
    })
  process.on('SIGUSR1', () => {
    for (const child of all) if (child.up) child.process.kill('SIGUSR1')
  })
  process.on('SIGHUP', () => void current?.process.kill('SIGHUP'))
  watchStalls(all, stallSeconds(process.env), say)
  current = start('first')
}

/**
 * Kills a gateway that stands still, so that it is started again: one that said it is alive and is silent for so many looks. Looks and not
 * the clock are counted, since after a pause of the whole machine its word is on the way.
 */
const watchStalls = (all: ReadonlySet<Child>, seconds: number, say: Say): void => {
  if (seconds === 0) return
  setInterval(() => {
    for (const child of all) {
      if (child.silent === undefined || ++child.silent <= seconds) continue
      say('error', `gateway ${child.process.pid} has stood still for ${seconds} s and is killed`)
      child.silent = undefined
      child.process.kill('SIGKILL')
    }
  }, beat).unref()
}

/** `GATEWAY_STALL_SECONDS`: 15 by default, 0 for never. */
const stallSeconds = ({ GATEWAY_STALL_SECONDS: text = '15' }: NodeJS.ProcessEnv): number => {
  if (/^(0|[5-9]|[1-9]\d{1,3})$/.test(text)) return Number(text)
  throw new GatewayError(
    'BAD_REQUEST',
    `GATEWAY_STALL_SECONDS ${JSON.stringify(text)} is no number of seconds`,
    'give 5 to 9999, or 0 for never',
  )
}

const newChild = (child: ChildProcess): Child => ({
  process: child,
  up: false,
  silent: undefined,
  said: (...wanted) =>
    new Promise((resolve, reject) => {
      const done = () => {
        clearTimeout(late)
        child.off('message', hear)
        child.off('exit', gone)
        child.off('error', failed)
      }
      const hear = (word: FromChild) => {
        if (!wanted.includes(word.say)) return
        done()
        resolve(word)
      }
      const gone = (code: number | null, signal: string | null) => {
        done()
        reject(new Error(`it ended with ${signal ?? code}`))
      }
      const failed = (error: Error) => {
        done()
        reject(error)
      }
      const late = setTimeout(failed, patience, new Error(`it took more than ${patience / 1_000} s`))
      child.on('message', hear)
      child.once('exit', gone)
      if (child.pid === undefined) child.once('error', failed)
      if (child.exitCode !== null || child.signalCode !== null) gone(child.exitCode, child.signalCode)
    }),
  tell: (word, held) => {
    if (child.connected) child.send(word, held, undefined, () => undefined)
  },
})

const errorOf = ({ code, message, fix }: Extract<FromChild, { say: 'refused' }>): GatewayError =>
  new GatewayError(isErrorCode(code) ? code : 'INTERNAL', message, fix)
const stuck = (error: unknown, { message }: { message: string }): GatewayError =>
  new GatewayError(
    'PROCESS_FAILED',
    `the next gateway did not start: ${reason(error)}; and the one before cannot take its state back: ${message}`,
    'it serves on and takes no operations: put right what the log says, then run `gateway upgrade` again',
  )
const unchanged = (error: unknown): GatewayError =>
  error instanceof GatewayError
    ? error
    : new GatewayError(
        'PROCESS_FAILED',
        `the next gateway did not start: ${reason(error)}`,
        'the one before serves on; see why in the log',
      )
