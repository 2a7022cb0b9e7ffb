import { capability } from './capability.ts'

type Awaitable<T> = T | Promise<T>

/** A child process that something needs: Traefik, dnsmasq, a relay. `name` is unique in a gateway, of letters, digits, `-`, `_` and dots. */
export interface Service {
  readonly name: string
  /** A path, or a name that is looked up in PATH. */
  readonly command: string
  readonly args: readonly string[]
  /** Beside PATH and HOME, which are the gateway's own; nothing else of its environment goes to a child. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Runs as this user where the gateway is root. */
  readonly user?: string
  /** A network namespace to run in (`ip netns exec`). */
  readonly netns?: string
  /** The network namespace that it moves on to by itself, once it has what it needs of the first (nnc). It waits for this one too, and follows it. */
  readonly into?: string
  /** Asked until true; then `ready`. A start that is not ready within `startSeconds` (30) is ended and counts as failed. */
  probe?(signal: AbortSignal): Promise<boolean>
  readonly startSeconds?: number
  /** Between SIGTERM and SIGKILL. Default 10. */
  readonly stopSeconds?: number
  /**
   * At SIGTERM it stops listening at once, and then only drains what is open: another process in its place is started beside it, so that
   * connections are refused for no longer than that takes to start. A supervisor may leave this out. Default false.
   */
  readonly drains?: boolean
  /** Lives on when the gateway goes; the next `run` of this name adopts it if command, args, env and `revision` are the same, else replaces it. */
  readonly keep?: boolean
  /** Of what the child was started with beyond its arguments, such as a hash of its config file. */
  readonly revision?: string
  /** Ended without being asked to; a restart follows by itself. `reason` has the exit code or signal and its last line of stderr. */
  onExit?(reason: string): void
  /**
   * Puts in order what it needs before it is started again. Awaited, and a start that failed where it rejects; where another program
   * starts it, begun as soon as it ended.
   */
  beforeRestart?(): Promise<void>
  /** Is there again after an exit, and ready. */
  onRestart?(): void
}

/** Keeps child processes alive: started, restarted with back-off, stopped with the gateway or left behind and adopted. */
export interface Supervisor {
  /**
   * Resolves when it was started. Rejects with PROCESS_FAILED where the command cannot be started at all; a child that starts and dies
   * is tried again, 1 s to 60 s apart. A second `run` of a name takes the child over: the same one where nothing differs, else another
   * in its place; when the second is stopped and the first was not, the first is served again.
   */
  run(service: Service): Promise<Supervised>
  /**
   * How a service of this name was started that runs already and that nobody of this gateway asked for: a unit that another program
   * wrote. `run` of the same takes it over as it is. Absent where there can be none.
   */
  left?(name: string): Awaitable<Pick<Service, 'command' | 'args' | 'netns'> | undefined>
}
export interface Supervised {
  /** It ran already: since before this gateway did, or for an earlier `run` of the same by a plugin that a reload replaces. */
  readonly adopted: boolean
  /** Resolves when the probe was first true; rejects when the service was stopped before that. */
  readonly ready: Promise<void>
  status(): {
    readonly state: 'starting' | 'up' | 'backoff' | 'stopped'
    readonly pid?: number
    readonly restarts: number
    readonly lastError?: string
  }
  /** Ends it and starts it again, with what is given changed. Resolves when it is ready, rejects with PROCESS_FAILED where the first try fails; more follow. */
  restart(changed?: Partial<Pick<Service, 'args' | 'env' | 'revision'>>): Promise<void>
  /** Ends it for good, also where it was to be kept. Where a newer `run` of the name has taken it over this does nothing to it. */
  stop(): Promise<void>
  /**
   * For a service that `drains`: ends it as `stop` does, but resolves when it has stopped listening. It goes on with what is open until
   * `gone` resolves, and another one may be run beside it.
   */
  stopListening(): Promise<{ readonly gone: Promise<void> }>
  /**
   * For `close` of the plugin that ran it: no longer asked for. One that is kept stays where the gateway itself ends or did not start;
   * it is ended where a reload took the plugin away. One that is not kept is ended. Where a newer `run` has it this does nothing to it.
   */
  release(): Promise<void>
}
export const Supervisor = capability<Supervisor>('supervisor')
