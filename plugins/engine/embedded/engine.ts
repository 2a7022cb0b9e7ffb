import { randomUUID } from 'node:crypto'
import type { Core, Hooks, HttpChallenge, Listener, Route, TlsAlpnChallenge, Traffic } from '../../../core/index.ts'
import { Row } from '../../../lib/row.ts'
import { openAccessLog } from './access-log.ts'
import { addressesOf, problemOf } from './addresses.ts'
import { Backend, Backends, type Dialling } from './backends.ts'
import { Certificates } from './certificates.ts'
import { alpnChallenges, httpChallenges } from './challenges.ts'
import { Descriptors } from './descriptors.ts'
import { EngineHealth } from './engine-health.ts'
import { startChecks } from './health.ts'
import { listenAt } from './listen.ts'
import { Liveness } from './liveness.ts'
import type { Settings } from './options.ts'
import { startServing } from './serving.ts'
import { sweepTable } from './sweep.ts'
import { Table } from './table.ts'

type Engine = Hooks['engine'] & { api: { traffic: Traffic; http: HttpChallenge; alpn: TlsAlpnChallenge }; close(): Promise<void> }

export const startEngine = async (settings: Settings, core: Core): Promise<Engine> => {
  const descriptors = new Descriptors()
  if (settings.limits.connections > descriptors.mostClients)
    core.log(
      `${descriptors.mostClients} client connections at once instead of ${settings.limits.connections}: this process may open ${descriptors.limit} files`,
    )
  const dialling: Dialling = {
    connectTime: settings.limits.connectSeconds * 1_000,
    idle: settings.idle,
    idleTime: settings.idleSeconds * 1_000,
    idleWires: new Row(),
    ca: settings.ca,
    retry: { first: settings.retry, most: Math.max(30_000, settings.retry) },
    descriptors,
  }
  const makeBackends = (route: Route, before: Backends | undefined): Backends => {
    const kept = new Map(before?.all.map((backend) => [backend.address.text, backend]))
    const all = addressesOf(route).map((address) => kept.get(address.text) ?? new Backend(address, dialling))
    for (const backend of kept.values()) if (!all.includes(backend)) backend.close()
    return new Backends(all)
  }
  const table = new Table({ emit: core.emit, drain: settings.drain, makeBackends })
  const certificates = new Certificates(settings.contexts, settings.minVersion)
  const http = httpChallenges(settings.http !== undefined)
  const alpn = alpnChallenges(settings.limits.handshakeSeconds * 1_000)
  const epoch = randomUUID()
  const health = new EngineHealth(core.health)
  const listeners: Listener[] = []
  let port = settings.https.port ?? 8443
  const accessLog = settings.accessLog === undefined ? undefined : await openAccessLog(settings.accessLog, core.log, health)
  const serving = startServing({
    settings,
    table,
    certificates,
    challenge: http.answer,
    takeChallenge: alpn.take,
    log: core.log,
    access: accessLog?.write,
    port: () => settings.publicHttpsPort ?? port,
    descriptors,
  })
  const checks = settings.health && startChecks({ ...settings.health, ca: settings.ca }, table, core.log)
  let facts: Readonly<Record<string, number>> = {}
  const sweep = setInterval(() => {
    void sweepTable(table, dialling)
    health.trouble('connections', serving.connections.shortage())
    health.trouble('file descriptors', descriptors.shortage())
    const refusedFor = {
      ...serving.limited,
      'all connections': serving.connections.refusals.count,
      descriptors: descriptors.refusals.count,
    }
    if (listeners.length > 0) health.facts({ ...facts, ...limitedFacts(refusedFor) })
  }, 1_000)

  let draining: Promise<void> | undefined
  const drain = () => {
    draining ??= closePorts().then(serving.close)
    return draining
  }
  const close = async () => {
    await drain()
    clearInterval(sweep)
    checks?.stop()
    await accessLog?.close()
  }
  const openPorts = async (): Promise<void> => {
    const https = await listenAt(core, settings.https, 8443, serving.acceptHttps)
    listeners.push(https)
    port = https.port
    const plain = settings.http && (await listenAt(core, settings.http, 8080, serving.acceptHttp))
    if (plain) listeners.push(plain)
    facts = { https: https.port, ...(plain && { http: plain.port }) }
    health.facts(facts)
  }
  const closePorts = () => Promise.all(listeners.splice(0).map((listener) => listener.close()))
  try {
    await openPorts()
  } catch (error) {
    await close()
    throw error
  }

  const liveness = new Liveness(core.emit)
  return {
    restore: (routes) => {
      const stale = new Set(table.ids())
      for (const route of routes) {
        stale.delete(route.id)
        table.put(route)
      }
      for (const id of stale) {
        const route = table.routeOf(id)
        if (route) table.remove(route)
      }
    },
    apply: (change) => {
      if ('remove' in change) {
        liveness.remove(change.remove)
        return table.remove(change.remove)
      }
      const { put } = change
      const problem = problemOf(put)
      if (problem) throw problem
      table.put(put)
      liveness.put(put, put.tls.mode === 'passthrough' || certificates.find(put.host) !== undefined)
    },
    issues: () => false,
    reopenLogs: () => accessLog?.reopen(),
    ports: { release: async () => void (await closePorts()), resume: openPorts },
    beside: true,
    install: (all) => liveness.installed(certificates.install(all)),
    api: { traffic: { read: (_, since) => ({ epoch, ...table.read(since) }) }, http, alpn },
    drain,
    close,
  }
}

/** How often each limit by client address was met, without those that never were. */
const limitedFacts = (counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(counts).flatMap(([limit, count]) => (count > 0 ? [[`limited ${limit}`, count]] : [])))
