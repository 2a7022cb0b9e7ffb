import { type Core, parseId, type WorkloadId } from '../../../core/index.ts'

export interface Waiting {
  /** Those that were not set again yet. */
  readonly waiting: Set<WorkloadId>
  /** Milliseconds that are left to them. */
  readonly left: number
  /** The gateway ended without a word meanwhile: some of them may have been set again, so none may be removed. */
  readonly unsure: boolean
}
interface Kept {
  readonly boot: string
  /** On the clock of the machine. */
  readonly until: number
  readonly waiting: readonly string[]
  readonly clean: boolean
}

/** What has to outlive the gateway: of which boot it is, and who was still waited for when it closed. */
export const keeper = (state: Core['state']) => {
  let kept: Kept | undefined
  const write = async (next: Kept) => {
    kept = next
    await state.set('boot', Buffer.from(JSON.stringify(next)))
  }
  return {
    /** At the first start of all nothing is provisional; at the first one on a new boot all is, within so many milliseconds. */
    async begin(boot: string, within: number, all: () => readonly WorkloadId[]): Promise<Waiting> {
      const before = read(state.get('boot'))
      const same = before?.boot === boot
      const waiting = same ? before.waiting.map(parseId) : before ? all() : []
      const until = same ? before.until : Date.now() + within
      // A clock that was set does not make it longer.
      const left = Math.min(Math.max(0, until - Date.now()), within)
      const unsure = same && !before.clean && waiting.length > 0
      await write({ boot, until, waiting, clean: waiting.length === 0 })
      return { waiting: new Set(waiting), left, unsure }
    },
    async end(waiting: Iterable<WorkloadId>): Promise<void> {
      if (kept) await write({ ...kept, waiting: [...waiting], clean: true })
    },
  }
}
export type Keeper = ReturnType<typeof keeper>

/** What is damaged counts as the first start: then nothing is provisional, and nothing is removed. */
const read = (bytes: Uint8Array | undefined): Kept | undefined => {
  try {
    return bytes && JSON.parse(Buffer.from(bytes).toString())
  } catch {
    return undefined
  }
}
