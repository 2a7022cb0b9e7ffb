import { closeSync, openSync } from 'node:fs'
import { asGatewayError } from '../core/errors.ts'
import type { CreateOptions, RunningGateway } from '../core/running-gateway.ts'

type Write = NonNullable<CreateOptions['log']>

/**
 * SIGTERM and SIGINT close the gateway, draining, and end the process with 0; a second one ends it at once. SIGHUP reloads the config.
 * SIGUSR1 opens the log files anew. SIGUSR2, which asks for an upgrade, is answered in the log: here no parent holds the sockets.
 * Taken from the first moment on: one that comes during the start is obeyed when the start is through.
 */
export const onSignals = (log: Write, stopping: () => void) => {
  let gateway: RunningGateway | undefined
  let ending: number | undefined

  const end = async () => {
    if (!gateway) return
    log('info', 'stopping: connections drain; a second signal ends it at once', {})
    await gateway.close().catch((error) => log('error', asGatewayError(error).text, {}))
    process.exit(0)
  }
  const stop = (signal: NodeJS.Signals) => {
    const now = performance.now()
    // Ctrl-C comes from the terminal and again from npm, which passes it on.
    if (ending !== undefined && now - ending < 500) return
    if (ending !== undefined) process.exit(signal === 'SIGINT' ? 130 : 143)
    ending = now
    stopping()
    void end()
  }
  const reload = async () => {
    try {
      const { kept, replaced, added, removed } = (await gateway?.reload()) ?? { kept: [] }
      log('info', 'reloaded', { kept: kept.length, replaced, added, removed })
    } catch (error) {
      log('error', `reload refused, the old config runs on: ${asGatewayError(error).text}`, {})
    }
  }

  const reopenLogs = async () => {
    try {
      await gateway?.reopenLogs()
    } catch (error) {
      log('error', `the logs could not be opened anew: ${asGatewayError(error).text}`, {})
    }
  }
  const refuseUpgrade = () =>
    log('warn', 'SIGUSR2: this gateway cannot be upgraded in place. Start it with --upgradable, or restart it.', {})

  // Without a transport nothing else keeps the process.
  const alive = setInterval(() => undefined, 2 ** 30)
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('SIGUSR1', () => void reopenLogs())
  process.on('SIGUSR2', refuseUpgrade)
  process.on('SIGHUP', (signal) => (lostTerminal() ? stop(signal) : void reload()))
  return {
    attach(started: RunningGateway): void {
      gateway = started
      if (ending !== undefined) void end()
    },
    detach: () => clearInterval(alive),
  }
}

const hadTerminal = process.stdin.isTTY === true

/** A terminal that is closed sends SIGHUP too, and then nobody is left who could stop the gateway. */
const lostTerminal = (): boolean => {
  if (!hadTerminal) return false
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return false
  } catch {
    return true
  }
}
