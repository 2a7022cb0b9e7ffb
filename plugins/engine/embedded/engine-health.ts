import type { Core } from '../../../core/index.ts'

/** How the engine is: `degraded` with all reasons at once, `ok` without any. */
export class EngineHealth {
  readonly #health: Core['health']
  readonly #troubles = new Map<string, string>()
  #facts: Readonly<Record<string, string | number>> | undefined

  constructor(health: Core['health']) {
    this.#health = health
  }

  facts(facts: Readonly<Record<string, string | number>>): void {
    this.#facts = facts
    this.#tell()
  }

  /** Says what is wrong with this part of the engine, or that nothing is any more. */
  trouble(part: string, reason: string | undefined): void {
    if (this.#troubles.get(part) === reason) return
    if (reason === undefined) this.#troubles.delete(part)
    else this.#troubles.set(part, reason)
    this.#tell()
  }

  #tell(): void {
    if (this.#troubles.size === 0) this.#health('ok', undefined, this.#facts)
    else this.#health('degraded', [...this.#troubles.values()].join('; '), this.#facts)
  }
}
