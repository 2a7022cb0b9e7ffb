import { GatewayError } from '../core/errors.ts'
import type { RunFlags } from './serve.ts'

/** Runs the gateway until a signal ends it. */
export const run = async (flags: RunFlags): Promise<void> => {
  throw new GatewayError('CONFIG_INVALID', `no gateway to run with ${JSON.stringify(flags)}`, 'finish cli/run.ts')
}
