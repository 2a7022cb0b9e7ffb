import { coalesce } from '../coalesce.ts'
import { type ChallengeProblem, challengeOf, readChallenge } from './challenge.ts'
import { type LiveValues, restoreValues } from './values.ts'

/** The challenge zones of a name server that is the gateway's own, and the values in them, which outlive the gateway. */
export interface OwnZones {
  readonly domains: readonly string[]
  readonly live: LiveValues
  /** Asks for the domain where none is configured. Returns whether it is another one now. */
  learn(signal: AbortSignal): Promise<boolean>
  read(fqdn: string, value: string): { readonly name: string } | { readonly problem: ChallengeProblem }
  /** Returns when what is live now would be there after a crash. */
  keep(): Promise<void>
}
export interface ZoneSource {
  readonly domains: readonly string[] | undefined
  domain(signal: AbortSignal): Promise<string | undefined>
  /** What `save` was given last. */
  readonly saved: Uint8Array | undefined
  save(value: Uint8Array | null): Promise<void>
}

export const ownZones = ({ domains: configured, domain, saved, save }: ZoneSource): OwnZones => {
  const live = restoreValues(saved, keepFor)
  let domains = configured ?? []
  return {
    get domains() {
      return domains
    },
    live,
    async learn(signal) {
      const now = configured ? undefined : await domain(signal)
      if (now === undefined || domains.includes(now)) return false
      domains = [now]
      return true
    },
    read(fqdn, value) {
      const names = domains.map(challengeOf)
      return readChallenge(fqdn, value, (name) => names.includes(name), names.join(', ') || 'none, for it knows no domain yet')
    },
    keep: coalesce(() => save(live.size > 0 ? live.encode() : null)),
  }
}

/** Milliseconds; what is older when the gateway starts belongs to no order that still waits. */
const keepFor = 3_600_000
