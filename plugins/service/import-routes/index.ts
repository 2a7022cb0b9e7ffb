import { join } from 'node:path'
import { definePlugin, GatewayError, knownOptions, LeftBehind, leftDraft, NodeFacts, optional } from '../../../core/index.ts'
import { readLeft } from '../../../lib/left-routes/folder.ts'

export interface ImportRoutesOptions {
  /**
   * Folders of route files, the newest first. Default `/var/run/cache/gateway/proxy`, where the Go module of Zero-OS keeps them now, and
   * `<root>/proxy`, where it kept them earlier.
   */
  readonly from?: readonly string[]
}

/** Seconds that the node has to say its domain. */
const patience = 5

/**
 * At the first start of a root the route files that a Go gateway module left become workloads, served from then on as they were. Files
 * of which none can be made are named in an alarm each; nothing is deleted.
 */
export const importRoutes = (options: ImportRoutesOptions = {}) => {
  knownOptions('importRoutes', options, { from: true })
  const { from } = options
  if (from !== undefined && !(Array.isArray(from) && from.every((folder) => typeof folder === 'string' && folder !== '')))
    throw new GatewayError('CONFIG_INVALID', 'importRoutes: from is no list of folders', "give from: ['/path/of/proxy']")
  return definePlugin({
    name: 'service/import-routes',
    kind: 'service',
    options,
    needs: { node: optional(NodeFacts) },
    provides: { left: LeftBehind },
    setup: ({ root, node, emit, log }) => ({
      api: {
        left: {
          async drafts(signal) {
            const folders = from ?? ['/var/run/cache/gateway/proxy', join(root, 'proxy')]
            const domain = await domainOf(node, signal)
            const { routes, unread } = await readLeft(folders, domain)
            for (const { path, why } of unread)
              emit({
                type: 'alarm',
                code: 'BAD_REQUEST',
                message: `${path} was left by another gateway and is not taken over: ${why}`,
                fix: 'set the workload anew; the file is not deleted (a folder of the gateway itself has such files moved aside)',
              })
            if (routes.length + unread.length > 0)
              log(`${routes.length} workloads of another gateway are taken over, ${unread.length} files are not`, { folders })
            return routes.map(leftDraft)
          },
        },
      },
    }),
  })
}

/** What the node says in a short time: without it a passed-through name counts as a domain of its own until it is set again. */
const domainOf = async (node: NodeFacts | undefined, signal: AbortSignal): Promise<string | undefined> => {
  try {
    return (await node?.publicConfig(AbortSignal.any([signal, AbortSignal.timeout(patience * 1_000)])))?.domain
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}
