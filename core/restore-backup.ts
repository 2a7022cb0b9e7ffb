import { type Backup, writeKept } from './backup.ts'
import type { GatewayConfig } from './config.ts'
import { GatewayError } from './errors.ts'
import { withStore } from './offline.ts'

/**
 * Brings a backup into the store of a gateway that does not run and has nothing yet, all of it or nothing. Rejects with
 * PRECONDITION_FAILED where there is something, and as the store does, such as where a gateway has it open.
 */
export const restoreBackup = (config: GatewayConfig, root: string, backup: Backup): Promise<void> =>
  withStore(config, root, async (store) => {
    const { routes, certificates, bytes } = await store.load()
    if (routes.length + certificates.length + bytes.size > 0)
      throw new GatewayError(
        'PRECONDITION_FAILED',
        `${root} has ${routes.length} workloads and ${certificates.length} certificates already`,
        'name an empty --root, or move the old one away',
      )
    await writeKept(root, backup.files)
    await store.commit(backup.writes)
  })
