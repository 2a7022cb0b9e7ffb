import { setImmediate as turn } from 'node:timers/promises'
import { timeAwake } from '../../../lib/patience.ts'
import type { Dialling } from './backends.ts'
import type { Table } from './table.ts'

/** A workload without traffic for so long, in ms, gives back its pools. */
const sleepAfter = 60_000
/** What is looked after before requests have their turn. */
const atOnce = 250

/** Cuts what is late and lets go what rests for long. Costs nothing for what only rests. */
export const sweepTable = async (table: Table, { idleWires, idleTime }: Dialling): Promise<void> => {
  // Behind what has come by now, before anyone is cut for being late.
  await turn()
  const now = performance.now()
  let seen = 0
  for (const { open } of [...table.busy()]) {
    const running = timeAwake()
    for (const flow of open) flow.tick(running)
    if (++seen % atOnce === 0) await turn()
  }
  for (let wire = idleWires.first; wire && now - wire.idleSince > idleTime; wire = idleWires.first) {
    wire.drop()
    if (++seen % atOnce === 0) await turn()
  }
  while (table.sleepOne(now - sleepAfter)) if (++seen % atOnce === 0) await turn()
}
