import { test } from 'vitest'
import type { Engine } from './engines.ts'

/** A test of one of the forty cases, as docs/faults.md tells it. */
export interface Told {
  readonly number: number
  readonly sentence: string
  /** Absent: it concerns the gateway, whatever the engine. */
  readonly engine?: Engine
  /** Why that engine cannot, with the upstream issue: it is tried all the same, and has to fail. */
  readonly cannot?: string
}

/** A test of the case of this number that no engine takes part in. `sentence` says what comes of it. */
export const fault = (number: number, sentence: string, run: () => Promise<void>): void => tell({ number, sentence }, run)

/** The same on each engine that it concerns; `on` says what a run gets, by the engine. `cannot`: the engines that fail, each with the reason. */
export const faultOn = <T>(
  number: number,
  sentence: string,
  on: Readonly<Partial<Record<Engine, T>>>,
  run: (open: T, engine: Engine) => Promise<void>,
  cannot: Readonly<Partial<Record<Engine, string>>> = {},
): void => {
  for (const engine of keysOf(on)) {
    const [open, reason] = [on[engine], cannot[engine]]
    if (open === undefined) continue
    tell({ number, sentence, engine, ...(reason && { cannot: reason }) }, () => run(open, engine))
  }
}

/** What `load` would test, and nothing of it run. For the page. */
export const toldBy = async (load: () => Promise<unknown>): Promise<readonly Told[]> => {
  const told: Told[] = []
  collected = told
  try {
    await load()
  } finally {
    collected = undefined
  }
  return told
}

let collected: Told[] | undefined

const tell = (told: Told, run: () => Promise<void>) => {
  if (collected !== undefined) return void collected.push(told)
  const { number, sentence, engine, cannot } = told
  const title = `${number}: ${sentence}${engine ? ` (${engine})` : ''}`
  cannot === undefined ? test(title, run) : test.fails(`${title} (cannot: ${cannot})`, run, 60_000)
}

const keysOf = <K extends string>(all: Partial<Record<K, unknown>>) => Object.keys(all) as K[]
