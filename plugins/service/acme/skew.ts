import { GatewayError } from '../../../core/index.ts'

const hour = 3_600_000

/** Compares this machine's clock with that of the CA, whose answers have a Date field. */
export const clockWatch = () => {
  let skew = 0
  return {
    /** The CA's clock minus ours, in ms. */
    seen: (ms: number): void => {
      skew = ms
    },
    /** Set while the two are more than an hour apart. */
    warning: (): GatewayError | undefined =>
      Math.abs(skew) < hour
        ? undefined
        : new GatewayError(
            'CLOCK_SKEW',
            `the clock of this machine is ${(Math.abs(skew) / hour).toFixed(1)} h ${skew > 0 ? 'behind' : 'ahead of'} that of the CA`,
            'set it, such as by NTP: certificates are renewed by it',
          ),
  }
}
