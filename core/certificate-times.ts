import type { Certificate } from './operation.ts'

const minute = 60_000
const day = 24 * 60 * minute

/** After the first, second, third failure; then daily. */
const backOff = [1 * minute, 10 * minute, 100 * minute, day]

/** Milliseconds until the next try after so many failures in a row; `share` (0 to 1) keeps those apart that failed together. */
export const waitAfter = (failures: number, share = Math.random()): number =>
  (backOff[Math.min(failures, backOff.length) - 1] ?? day) * (1 + share * 0.1)

/** Where a certificate says that it lives longer, it is renewed as if it did not: no public one may (CA/Browser Forum, 398 days). */
const longestLife = 397 * day
const lifeOf = ({ notBefore, notAfter }: Certificate): number =>
  Math.min(Math.max(notAfter.getTime() - notBefore.getTime(), 0), longestLife)

/** When a third of the life is left, a little earlier by `share`, so that what was obtained together is not renewed together. */
export const renewalOf = (certificate: Certificate, share = Math.random()): number =>
  certificate.notBefore.getTime() + lifeOf(certificate) * (2 / 3 - share * 0.03)

/** A resolver that wants a renewal later than this is not followed: a tenth of the life is for tries that fail. */
export const latest = (certificate: Certificate): number => certificate.notBefore.getTime() + lifeOf(certificate) * 0.9

/** One that is due already when it comes, by a clock that is wrong or a CA that is, is not renewed at once, and again, for ever. */
export const restOf = (certificate: Certificate): number => lifeOf(certificate) / 50

/** A resolver that always says "now" is not followed sooner than this. */
export const soonest = (certificate: Certificate): number =>
  certificate.notBefore.getTime() + Math.max(restOf(certificate), 120 * minute)

/** A certificate that no workload uses is kept for so long, in case one comes back. */
export const keepUnused = 7 * day
/** How often a resolver is asked when to renew. */
export const askEvery = 6 * 60 * minute

/** Says by how many ms the clock was set since the last call; 0 where it only ran. */
export const clockSteps = (): (() => number) => {
  let [wall, steady] = [Date.now(), performance.now()]
  return () => {
    const step = Date.now() - wall - (performance.now() - steady)
    wall = Date.now()
    steady = performance.now()
    return Math.abs(step) < minute ? 0 : step
  }
}
