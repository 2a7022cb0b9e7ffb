import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { createGateway, type Logged, type Plugin, type RunningGateway, type WorkloadId } from '../../../../core/index.ts'
import { type TraefikOptions, traefik } from '../../../../plugins/engine/traefik/index.ts'
import { processes } from '../../../../plugins/service/processes/index.ts'
import { httpApi } from '../../../../plugins/transport/http-api/index.ts'
import { anyHost, emptyMemory, issued, memory, passthrough } from '../../../kit/engine/plugins.ts'
import { createAuthority, freePort, http1, httpBackend, openTls, tempRoot } from '../../../kit/index.ts'
import { endKept } from '../../../kit/kept.ts'
import { traefikPath } from '../../../kit/programs.ts'
import { seen } from './seen.ts'

/** A real Traefik under a gateway, whose faults come fast one after another. */
export const faultStand = async (options: TraefikOptions = {}) => {
  const [http, https, api, feed, relay, authority] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await createAuthority(),
  ]
  const root = tempRoot('faults')
  onTestFinished(async () => {
    await endKept(root.path)
    await root.remove()
  })
  const held = emptyMemory()
  const web = await httpBackend('hello')
  onTestFinished(web.close)
  const plugins = (more: TraefikOptions = {}): readonly Plugin[] => [
    anyHost(),
    passthrough(),
    issued(authority),
    memory(held),
    httpApi({ tcp: false }),
    processes({ backoff: { first: 0.2, most: 0.5 } }),
    traefik({
      command: traefikPath(),
      http: { port: http },
      https: { port: https },
      api: { port: api },
      issue: 'gateway',
      overHttp: { port: feed },
      relay: { port: relay },
      drain: 1,
      ...options,
      ...more,
    }),
  ]
  return {
    root: root.path,
    http,
    https,
    api,
    web,
    proxy: join(root.path, 'proxy'),
    state: join(root.path, 'traefik'),
    async start(more: TraefikOptions = {}): Promise<RunningGateway> {
      const gateway = await createGateway({ plugins: plugins(more) }, { root: root.path })
      onTestFinished(() => gateway.close())
      return gateway
    },
    connect: async (host: string) => http1(await openTls({ port: https }, { name: host, ca: authority.root })),
    /** The answer's text through the public port, or its status where that is not 200. */
    async get(host: string): Promise<string | number> {
      const client = http1(await openTls({ port: https }, { name: host, ca: authority.root }))
      const { status, text } = await client.request('GET /', { Host: host })
      client.close()
      return status === 200 ? text : status
    },
    seen: () => seen(root.path),
    /** A program that says it is a Traefik of a good age, and does otherwise. */
    async pretender(script: string): Promise<string> {
      const path = join(root.path, 'pretender')
      await writeFile(path, `#!/bin/sh\n[ "$1" = version ] && exec ${traefikPath()} version\n${script}\n`)
      await chmod(path, 0o755)
      return path
    },
  }
}

export const set = (gateway: RunningGateway, id: string, fqdn: string, backend: string) =>
  gateway.dispatch({ do: 'set-fqdn', id: id as WorkloadId, fqdn, backends: [backend], passthrough: false })

export const stateOf = (gateway: RunningGateway) => gateway.status().plugins.find(({ name }) => name === 'engine/traefik')
/** 0 while it is not known. */
export const pidOf = (gateway: RunningGateway): number => Number(stateOf(gateway)?.facts?.pid ?? 0)

/** The first event from now on that `wanted` takes. */
export const next = async (gateway: RunningGateway, wanted: (event: Logged) => boolean): Promise<Logged> => {
  for await (const event of gateway.events(undefined, AbortSignal.timeout(60_000))) if (wanted(event)) return event
  throw new Error('the event did not come')
}
/** What an operator sees where all is well. */
export const well = { status: expect.stringContaining('engine/traefik ok'), exitCode: 0, readyz: 200 }
export const patience = { timeout: 60_000, interval: 50 }
