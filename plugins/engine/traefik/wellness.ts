import type { Core, Supervised } from '../../../core/index.ts'
import { portOwner } from '../../../lib/port-owner.ts'
import type { Settings } from './settings.ts'
import type { Version } from './version.ts'

/** Says how Traefik is: `down` while it does not run or answers nothing, `degraded` while it runs and does not take what it should. */
export class Wellness {
  readonly #core: Pick<Core, 'health' | 'emit'>
  readonly #settings: Settings
  version: Version
  /** How Traefik gets its routes. */
  routes = (): string => 'file'
  /** What was in its folder of routes and is not the gateway's. */
  aside = ''
  /** What ran here as the Go module started it, when this gateway came. */
  left: string | undefined
  /** It is being found out who holds a port. */
  #looking = false
  /** How it ended last, and what more is known of that. */
  #ended: { readonly why: string; readonly reason: string } | undefined
  /** Why it is taken to answer nothing. */
  #silent: string | undefined
  /** What is wrong beside that, since it was last well. */
  #trouble: string | undefined
  readonly #status: () => ReturnType<Supervised['status']> | undefined

  constructor(
    core: Pick<Core, 'health' | 'emit'>,
    settings: Settings,
    version: Version,
    status: () => ReturnType<Supervised['status']> | undefined,
  ) {
    this.#core = core
    this.#settings = settings
    this.version = version
    this.#status = status
  }

  ok(): void {
    this.#trouble = undefined
    this.#core.health('ok', undefined, this.#facts())
  }
  /** It runs and answers nothing, for this reason; `undefined`: it answers again. */
  silent(why: string | undefined): void {
    const before = this.#silent
    this.#silent = why
    if (why !== undefined) this.not(why)
    else if (before !== undefined && this.#trouble !== undefined) this.not(this.#trouble)
    else if (before !== undefined && this.#status()?.state === 'up') this.ok()
  }
  not(why: string): void {
    if (why !== this.#silent) this.#trouble = why
    // What is said until then stands: it would only say less.
    if (this.#looking) return
    const { state: process, lastError } = this.#status() ?? {}
    const running = process === 'up'
    const whyDown = this.#ended && this.#ended.why === lastError ? this.#ended.reason : (lastError ?? why)
    const state = running && this.#silent === undefined ? 'degraded' : 'down'
    this.#core.health(state, `Traefik: ${running ? (this.#silent ?? why) : whyDown}`, this.#facts())
  }
  /** It ended without being asked to. */
  async exited(why: string): Promise<void> {
    const port = /:(\d+): bind: address already in use/.exec(why)?.[1]
    if (port === undefined) this.not(why)
    this.#looking = port !== undefined
    const owner = port === undefined ? undefined : await portOwner(Number(port)).catch(() => undefined)
    this.#looking = false
    // First what to act on: whoever shows it may cut the end off.
    const reason = owner ? `port ${port} is held by ${owner.command} (pid ${owner.pid}), which is left alone: ${why}` : why
    this.#ended = { why, reason }
    if (this.#status()?.state !== 'up') this.not(reason)
    this.#core.emit({ type: 'engine', state: 'down', reason })
  }

  #facts(): Record<string, string | number> {
    const { pid, restarts = 0 } = this.#status() ?? {}
    const { http, https } = this.#settings
    return {
      version: this.version.join('.'),
      https: https.port,
      http: http.port,
      routes: this.routes(),
      restarts,
      ...(this.aside !== '' && { 'moved aside': this.aside }),
      ...(this.left !== undefined && { 'in the place of': this.left }),
      ...(pid !== undefined && { pid }),
    }
  }
}
