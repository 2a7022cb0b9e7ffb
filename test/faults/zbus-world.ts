import type { Plugin } from '../../core/index.ts'
import { type ZbusOptions, zbus } from '../../plugins/index.ts'
import type { World } from '../kit/engine/world.ts'
import { defer } from '../kit/engine/world.ts'
import { startRedis } from '../kit/index.ts'
import { type Answer, call, manager, plain, request } from '../plugins/transport/zbus-parts.ts'
import type { OpenWith } from './engines.ts'
import { openLink } from './link.ts'

/** A gateway that callers reach over zbus, by a link to Redis that can be slow, stalled or cut. */
export const zbusWorld = async (open: OpenWith, options: ZbusOptions = {}, ...more: readonly Plugin[]) => {
  const redis = await startRedis({ args: ['--appendfsync', 'always'] })
  defer(redis.close)
  const link = await openLink(redis.port)
  defer(link.close)
  const world = await open(zbus({ ...options, broker: `tcp://127.0.0.1:${link.port}` }), ...more)()
  const client = plain(redis.path)
  const said = (answer: Answer): string => answer.Error ?? answer.Output.Error?.Message ?? 'ok'
  return {
    world,
    redis,
    link,
    client,
    said,
    /** What it answers: `ok`, or the message. */
    set: async (id: string, host: string, backend: string) =>
      said(await call(client, manager, 'SetFQDNProxy', id, { FQDN: host, Backends: [backend] })),
    remove: async (id: string) => said(await call(client, manager, 'DeleteNamedProxy', id)),
    /** The same as bytes, to be pushed as one likes. */
    setRequest: (id: string, host: string, backend: string) =>
      request(manager, 'SetFQDNProxy', [id, { FQDN: host, Backends: [backend] }]),
    removeRequest: (id: string) => request(manager, 'DeleteNamedProxy', [id]),
    state: (of: World = world) => of.gateway.status().plugins.find(({ name }) => name === 'transport/zbus')?.state,
  }
}
