import { spawn } from 'node:child_process'

/** What systemd is told by, as sd_notify(3) has it. */
export interface ServiceManager {
  /** The gateway serves; from now on the watchdog is told that this process runs, too. */
  ready(): void
  stopping(): void
}

/**
 * Reads what systemd gives a service, and takes it out of the environment: programs that the gateway starts are not to answer for it.
 * Undefined where systemd asks for nothing. `failed` is called once where it cannot be told.
 */
export const serviceManager = (env: NodeJS.ProcessEnv, failed: (why: string) => void): ServiceManager | undefined => {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID } = env
  if (!NOTIFY_SOCKET) return undefined
  const isWatched = WATCHDOG_USEC !== undefined && (WATCHDOG_PID ?? String(process.pid)) === String(process.pid)
  const period = isWatched ? Number(WATCHDOG_USEC) / 1_000 : 0
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name]

  let told = false
  const fail = (error: Error) => {
    if (!told) failed(`systemd cannot be told of the gateway's state: ${error.message}`)
    told = true
  }
  const send = (state: string) => {
    spawn('systemd-notify', [state], { stdio: 'ignore', env: { ...env, NOTIFY_SOCKET } }).on('error', fail)
  }
  return {
    ready() {
      send('READY=1')
      if (period > 0) setInterval(() => send('WATCHDOG=1'), period / 3).unref()
    },
    stopping: () => void send('STOPPING=1'),
  }
}
