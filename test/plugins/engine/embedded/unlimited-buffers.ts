import { BufferBudget, type BufferLimits, type ConnectionBuffers } from '../../../../plugins/engine/embedded/buffer-budget.ts'

const none: BufferLimits = { connection: 0, address: 0, total: 0 }

/** The account of a connection that may hold any amount. */
export const unlimitedBuffers = (): ConnectionBuffers =>
  new BufferBudget(none, () => undefined).open('127.0.0.1', false, () => undefined)
