import { join } from 'node:path'
import { GatewayError, reason } from '../core/errors.ts'
import { createGateway } from '../core/gateway.ts'
import { answers } from '../core/listeners.ts'
import { LineWriter } from '../lib/line-writer.ts'
import { parent } from './child.ts'
import { onFaults } from './faults.ts'
import { readFlags } from './flags.ts'
import { greeting } from './greet.ts'
import { chooseConfig, loadConfig } from './load-config.ts'
import { createLog, type Log } from './log.ts'
import { parentSocket } from './parent-words.ts'
import { defaultRoot } from './place.ts'
import type { RunFlags } from './serve.ts'
import { serviceManager } from './service-manager.ts'
import { onSignals } from './signals.ts'
import { spareTurboFan } from './turbofan.ts'

/** Runs the gateway until a signal ends it. Rejects with a GatewayError where it cannot start. */
export const run = async (given: RunFlags): Promise<void> => {
  // Keys are among what is written: nobody else reads it.
  process.umask(0o077)
  const log = createLog()
  outlastReaders(log)
  const holder = parent(log.write)
  if (given.upgradable && !holder) {
    await log.open()
    return (await import('./parent.ts')).runParent((level, message) => log.write(level, message, {}))
  }
  const manager = holder ? undefined : serviceManager(process.env, (why) => log.write('warn', why, {}))
  const signals = onSignals(log.write, () => manager?.stopping())
  const faults = onFaults(log.write)
  const start = async () => {
    const { config: named, preset, ...flags } = readFlags(given, process.env)
    const file = chooseConfig(named, preset)
    faults.reading(file)
    const { config } = await loadConfig(file, flags, preset)
    faults.starting()
    const chosen = flags.root ?? config.root
    const root = chosen ?? defaultRoot()
    const source = async () => (await loadConfig(file, flags, preset)).config
    await (holder ? holder.begin(root) : refuseHeld(root))
    const gateway = await createGateway(config, { root, log: log.write, source, ...(holder && { sockets: holder.sockets }) })
    return { gateway, hello: greeting(gateway.status(), config, chosen === undefined) }
  }
  try {
    const { gateway, hello } = await faults.within(start())
    faults.up()
    spareTurboFan()
    signals.attach(gateway)
    holder?.up(gateway)
    manager?.ready()
    if (!given.quiet && holder?.greets !== false) new LineWriter(1, () => undefined).write(hello)
    await log.open()
  } catch (error) {
    signals.detach()
    log.dropInfo()
    // Whatever a plugin left open must not keep a process that serves nothing.
    setTimeout(() => process.exit(), 2_000).unref()
    throw error
  }
}

/** Whoever reads standard output or standard error may end or get stuck, and the gateway serves on. */
const outlastReaders = ({ write }: Log): void => {
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => undefined)
  // Node itself would write them to standard error, and wait.
  process.removeAllListeners('warning')
  process.on('warning', (warning) => write('warn', `${warning.name}: ${reason(warning)}`, {}))
}

/** While one gateway takes the place of another nobody has the store open: this tells that the root is taken all the same. */
const refuseHeld = async (root: string): Promise<void> => {
  if (await answers(join(root, parentSocket)))
    throw new GatewayError('BUSY', `another gateway has the root ${root}`, 'stop it, or name another --root')
}
