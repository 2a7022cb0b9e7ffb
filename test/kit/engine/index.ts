import { describe, it, type TestContext } from 'vitest'
import { drain } from './drain.ts'
import { failures } from './failures.ts'
import { limits } from './limits.ts'
import type { EngineFactory } from './settings.ts'
import { shutdown } from './shutdown.ts'
import { themes } from './themes.ts'
import { openWorld, runCase } from './world.ts'

export type { EngineFactory, Limits, Settings, Where } from './settings.ts'

export interface EngineUnderTest {
  /** Makes the engine of one case. Called again, with the same `where`, when the case restarts its gateway. */
  readonly engine: EngineFactory
  /**
   * Cases by name that this engine cannot pass, each with the reason. They are run, and must fail: on the day when the engine can,
   * the list has to be mended.
   */
  readonly cannot?: Readonly<Record<string, string>>
  /** Only the cases of these themes, such as for a second way of configuring an engine that passes the whole suite. Default: all. */
  readonly themes?: readonly string[]
  /** Cases that mostly wait for a deadline run at the same time, each with an engine of its own. For engines that cost little. */
  readonly sideBySide?: boolean
}

/** Those whose cases mostly wait. */
const waiting = new Set([limits, drain, shutdown, failures])

/** The conformance suite of engines: every behaviour that a caller of the gateway may rely on, over real sockets. For vitest. */
export const describeEngine = (
  name: string,
  { engine, cannot = {}, themes: some, sideBySide = false }: EngineUnderTest,
): void => {
  const known = new Set(Object.values(themes).flatMap(Object.keys))
  const unknown = Object.keys(cannot).filter((sentence) => !known.has(sentence))
  if (unknown.length > 0) throw new Error(`describeEngine('${name}'): no such cases: ${unknown.join('; ')}`)
  const strange = (some ?? []).filter((theme) => !(theme in themes))
  if (strange.length > 0) throw new Error(`describeEngine('${name}'): no such themes: ${strange.join('; ')}`)
  const open = openWorld(engine)
  describe(name, () => {
    for (const [theme, cases] of Object.entries(themes)) {
      if (some && !some.includes(theme)) continue
      describe(theme, () => {
        for (const [sentence, run] of Object.entries(cases)) {
          const reason = cannot[sentence]
          const test = sideBySide && waiting.has(cases) ? it.concurrent : it
          const body = (context: TestContext) => runCase(context, () => run(open))
          if (reason === undefined) test(sentence, body, limit)
          else test.fails(`${sentence} (cannot: ${reason})`, body, short)
        }
      })
    }
  })
}

/** Milliseconds that a case may take: far more than any needs. */
const limit = 180_000
/** For what has to fail: many such cases wait for what never comes. */
const short = 10_000
