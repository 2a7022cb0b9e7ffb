import { setFlagsFromString } from 'node:v8'

/**
 * Calls of a function before TurboFan compiles it, which keeps a processor for milliseconds in which what wakes there has to wait. V8's
 * 3,000 are reached by all that a Set runs through; these soon only by what requests run through.
 */
const hot = '--invocation-count-for-turbofan=100000'

/**
 * Leaves to TurboFan only what is that hot, unless a flag chose otherwise or there is no Maglev (before Node 24) to compile all else. To be
 * called once all is loaded: with another set of flags V8 takes none of Node's compiled code from its cache.
 */
export const spareTurboFan = (): void => {
  const flags = process.execArgv.join(' ').replaceAll('_', '-')
  const hasMaglev = Number.parseInt(process.versions.node, 10) >= 24 && !flags.includes('--no-maglev')
  if (hasMaglev && !flags.includes('--invocation-count-for-turbofan')) setFlagsFromString(hot)
}
