import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { connect } from 'node:net'
import type { Route } from '../../../core/index.ts'
import { isShortage } from '../../../lib/file-descriptors.ts'
import { patience } from '../../../lib/patience.ts'
import type { Backend } from './backends.ts'
import type { Table } from './table.ts'

interface Checks {
  /** Asked for by GET, where TLS ends here; without it, and for passthrough, a connection is enough. */
  readonly path: string | undefined
  /** ms */
  readonly interval: number
  readonly timeout: number
  readonly ca: string | undefined
}

/** Asks all backends that are in use how they are, again and again, until `stop`. */
export const startChecks = (checks: Checks, table: Table, log: (message: string, fields?: object) => void): { stop(): void } => {
  const asked = new Set<Backend>()
  const check = async (backend: Backend, route: Route) => {
    if (asked.has(backend)) return
    asked.add(backend)
    const well = await isWell(backend, route, checks)
    asked.delete(backend)
    if (backend.checked !== well && (backend.checked !== undefined || !well)) {
      log(`${backend.address.text} of ${route.id} is ${well ? 'well again' : 'not well and left out'}`, { workload: route.id })
    }
    backend.checked = well
  }
  const timer = setInterval(() => {
    for (const { backends, route } of table.awake()) for (const backend of backends.all) void check(backend, route)
  }, checks.interval)
  return { stop: () => clearInterval(timer) }
}

const isWell = ({ address }: Backend, route: Route, { path, timeout, ca }: Checks): Promise<boolean> =>
  new Promise((tell) => {
    const late = new AbortController()
    const come = patience(timeout, () => late.abort())
    const done = (well: boolean) => {
      come()
      tell(well)
    }
    const where = { host: address.ip.text, port: address.port, signal: late.signal }
    if (path === undefined || address.scheme === 'tcp' || route.tls.mode === 'passthrough') {
      const socket = connect(where, () => {
        socket.destroy()
        done(true)
      })
      // What this machine lacks says nothing of the backend.
      socket.on('error', (error) => done(isShortage(error)))
      return
    }
    const verify = { rejectUnauthorized: ca !== undefined, ...(ca !== undefined && { ca }) }
    const options = { ...where, path, agent: false, headers: { Host: route.host, 'User-Agent': 'zos-gateway health check' } }
    const asking = address.scheme === 'https' ? requestTls({ ...options, ...verify }) : requestPlain(options)
    asking.on('response', (response) => {
      const { statusCode = 0 } = response
      response.destroy()
      done(statusCode >= 200 && statusCode < 300)
    })
    asking.on('error', (error) => done(isShortage(error)))
    asking.end()
  })
