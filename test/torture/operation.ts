import type { State } from './model.ts'

/** A Set of a name with one backend, or a Delete. */
export type Step = { readonly name: string; readonly backend: string } | 'delete'

export const domain = 'gw.example.org'
export const after = (step: Step): State =>
  step === 'delete' ? undefined : { host: `${step.name}.${domain}`, backends: [step.backend] }

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
export const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}
export const pick = <T>(chance: () => number, all: readonly T[]): T => all[Math.floor(chance() * all.length)] as T

/** Mostly a name of the workload's own, sometimes one that several want. */
export const anyStep = (chance: () => number, id: string, backends: readonly string[]): Step => {
  if (chance() < 0.3) return 'delete'
  const name = chance() < 0.2 ? `shared-${Math.floor(chance() * 5)}` : `own-${id}`
  return { name, backend: pick(chance, backends) }
}
