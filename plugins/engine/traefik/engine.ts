import { resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import {
  type Certificate,
  type Core,
  type DnsHook,
  type Hooks,
  type HttpChallenge,
  type Route,
  reason,
  type Supervisor,
  type Tls,
  type Traffic,
} from '../../../core/index.ts'
import { configLost, configMended, folderMended, needsHook, noHook, unserved } from './alarms.ts'
import { changeApplier } from './apply-changes.ts'
import { Certificates } from './certificates.ts'
import { openChallenges } from './challenges.ts'
import { documentOf, type Shape } from './document.ts'
import { openFeed } from './feeding.ts'
import { Folder, type Found } from './folder.ts'
import { startHeartbeat } from './heartbeat.ts'
import { Leaving } from './leaving.ts'
import { findLeft, makeRoom } from './left.ts'
import { Liveness } from './liveness.ts'
import { startMetering } from './metering.ts'
import { ownEndpoints } from './own-endpoints.ts'
import { runTraefik, type Traefik } from './process.ts'
import { Publisher } from './publisher.ts'
import { reach } from './reach.ts'
import type { Settings } from './settings.ts'
import { retryMiddleware } from './shared.ts'
import { ownResolvers } from './static-config.ts'
import { tokenOf } from './token.ts'
import { atLeast, checkVersion, type Version, warnings } from './version.ts'
import { Wellness } from './wellness.ts'

type Engine = Hooks['engine'] & { api: { traffic: Traffic; http: HttpChallenge }; close(): Promise<void> }

/** Seconds that a start waits for Traefik before it goes on without. */
const patience = 15

/** What the engine takes of other plugins. */
interface Given {
  readonly supervisor: Supervisor
  readonly hook: DnsHook | undefined
}

export const startEngine = async (settings: Settings, core: Core, given: Given): Promise<Engine> => {
  const opened: Opened = []
  try {
    return await open(settings, core, given, opened)
  } catch (error) {
    for (const close of opened.toReversed()) await close()
    throw error
  }
}
/** What undoes half a set-up, last first. */
type Opened = (() => unknown)[]

const open = async (settings: Settings, core: Core, { supervisor, hook }: Given, opened: Opened): Promise<Engine> => {
  const version = await checkVersion(settings.command)
  const warn = (of: Version) => {
    for (const message of warnings(of))
      core.emit({ type: 'alarm', code: 'ENGINE_UNAVAILABLE', message, fix: 'see docs/engine-traefik.md' })
  }
  warn(version)
  if (settings.issue === 'traefik' && needsHook(settings) && !hook) core.emit(noHook)
  const root = resolve(core.root)
  const folders = { proxy: `${root}/proxy`, state: `${root}/traefik` }
  for (const name of ['acme.json', 'acme2.json']) core.keep(`${folders.state}/${name}`)
  const token = await tokenOf(folders.state)
  // The Go module's is beside the folder in which ours is.
  const left = await findLeft(`${root}/traefik.yaml`)
  const { api, close: closeReach } = await reach(settings, supervisor, folders.state, token)
  opened.push(closeReach)
  const stop = new AbortController()
  const certificates = new Certificates()
  let traefik: Traefik | undefined

  const issues = (tls: Tls): boolean =>
    settings.issue === 'traefik' && tls.mode === 'terminate' && ownResolvers.includes(tls.resolver)
  const wellness = new Wellness(core, settings, version, () => traefik?.status())
  if (left) wellness.left = `Traefik ${left.version} (pid ${left.pid})`
  const mended = async (found: readonly Found[]) => {
    for (const one of found) core.emit(folderMended(one, folders.proxy))
    wellness.aside = await folder.aside()
    publisher.again()
  }
  const folder = new Folder(folders.proxy, mended, (error) => wellness.not(`its folder of routes: ${reason(error)}`))
  wellness.aside = await folder.aside()
  const liveness = new Liveness(core.emit, ({ host, tls }) => {
    if (tls.mode === 'passthrough') return true
    return issues(tls) ? api.certified(host, stop.signal).catch(() => false) : certificates.covers(host)
  })
  const heartbeat = startHeartbeat({
    ask: (signal) => api.generation(signal),
    running: () => traefik?.running() ?? false,
    changed: () => wellness.silent(heartbeat.silent()),
    signal: stop.signal,
  })
  opened.push(() => stop.abort())
  const challenges = await openChallenges(settings)
  opened.push(() => challenges.close())
  core.endpoints.declare(ownEndpoints(settings, challenges.url))
  const { feed, provider, letGo } = await openFeed({
    settings,
    challenges: challenges.url,
    folder,
    state: folders.state,
    token,
    api,
    supervisor,
    publisher: () => publisher,
    running: () => traefik?.running() ?? false,
    pid: () => (traefik?.running() ? traefik.status().pid : undefined),
    silent: () => heartbeat.silent(),
    hangUp: () => traefik?.hangUp(),
    unwell: (why) => wellness.not(why),
    log: core.log,
    signal: stop.signal,
  })
  opened.push(() => feed.close())
  wellness.routes = () => feed.ways.join(' and ')
  const publisher = new Publisher({
    signal: stop.signal,
    channel: feed,
    async told(generation) {
      wellness.ok()
      if (liveness.waiting > 0) liveness.served(generation, await api.troubles(stop.signal))
    },
    failed: (why) => wellness.not(why),
  })
  const metering = await startMetering(settings, core, supervisor, `${folders.state}/relay`, token)
  opened.push(() => metering.close())
  const shape: Shape = {
    issues,
    several: [retryMiddleware],
    ...(settings.leftOut > 0 && atLeast(version, [3, 5, 0]) && { leftOut: settings.leftOut }),
    ...(settings.health && { health: settings.health }),
    grpc: settings.grpc,
    ...(settings.sendProxy && { proxyProtocol: settings.sendProxy }),
    ...metering.shape,
  }
  const textOf = (route: Route) => JSON.stringify(documentOf(route, shape))
  const leaving = new Leaving(settings.drain, core.emit, metering.client)
  const changes = changeApplier({ textOf, metering, publisher, feed, leaving, liveness, signal: stop.signal })

  const start = async () => {
    traefik = await runTraefik({
      settings,
      folders,
      version,
      supervisor,
      api,
      provider,
      letGo,
      env: hook?.env ?? {},
      makeRoom: () => makeRoom(left, core),
      async check() {
        const now = await checkVersion(settings.command)
        if (now.join() !== wellness.version.join()) warn(now)
        wellness.version = now
      },
      mended: (error) => core.emit(error === undefined ? configMended : configLost(error)),
      acmeMended: (what) =>
        core.emit({ type: 'alarm', code: 'STORAGE', message: `Traefik's ${what}`, fix: 'see docs/engine-traefik.md' }),
      onExit: (why) => void wellness.exited(why),
      onRestart() {
        core.emit({ type: 'engine', state: 'restarted' })
        publisher.again()
      },
    })
    traefik.ready.then(
      () => core.emit({ type: 'engine', state: 'up' }),
      () => undefined,
    )
    const late = AbortSignal.timeout(patience * 1_000)
    const generation = publisher.publish()
    try {
      // One that ended at once, or whose network namespace is not there, is tried again behind the start.
      while (traefik.status().state === 'starting') await wait(50, undefined, { signal: late })
      await publisher.served(generation, late)
      if (!traefik.running()) wellness.not('it does not run')
    } catch {
      wellness.not('it is not ready')
    }
  }

  return {
    async restore(given) {
      const routes = [...given]
      const told = metering.restore(routes)
      const documents = new Map(certificates.documents)
      for (const route of routes)
        try {
          documents.set(route.id, textOf(route))
        } catch (error) {
          core.emit(unserved(route, error))
        }
      // The number that is published next.
      await Promise.all([told, feed.open(documents, publisher.wanted + 1)])
      if (traefik === undefined) return start()
      publisher.publish()
    },
    apply: async (change, signal) => {
      if (traefik) return changes.apply(change, signal)
      // What cannot be served is refused now; the rest is restored.
      if ('put' in change) textOf(change.put)
    },
    issues,
    async install(all: readonly Certificate[]) {
      const change = certificates.take(all.filter(({ resolver }) => !issues({ mode: 'terminate', resolver, names: [] })))
      if (traefik) await changes.install(change)
    },
    api: { traffic: { read: metering.client.read }, http: challenges },
    reopenLogs: () => (settings.accessLog === undefined ? undefined : traefik?.reopenLog()),
    ports: {
      release: () => traefik?.release(),
      resume: () => start(),
    },
    async drain() {
      // Its counters end with it.
      if (!settings.keepServing) await metering.client.read(AbortSignal.timeout(3_000)).catch(() => undefined)
      await traefik?.end()
      await leaving.close()
    },
    async close() {
      stop.abort()
      await publisher.close()
      await feed.close()
      await traefik?.end()
      liveness.close()
      await metering.close()
      await challenges.close()
      await closeReach()
    },
  }
}
