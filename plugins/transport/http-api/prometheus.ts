import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Answers, Bytes, Gateway, Stat } from '../../../core/index.ts'
import type { Context, Env } from './context.ts'
import { add } from './routes.ts'
import { sliced } from './sliced.ts'

const text = { description: 'Text exposition format', content: { 'text/plain': { schema: { type: 'string' as const } } } }

/** What Prometheus scrapes. Everything is read at the scrape: nothing is counted here, so nothing here can drift from the gateway. */
export const prometheus = (app: OpenAPIHono<Env>, { gateway }: Context): void => {
  add(app, 'get', '/metrics', { tags: ['metrics'], summary: 'Metrics for Prometheus', responses: { 200: text } }, async (c) => {
    const client = await import('prom-client')
    const { processMetrics } = await import('./process-metrics.ts')
    const own = new client.Registry()
    operations(client, own, gateway.stats())
    certificates(client, own, gateway)
    state(client, own, gateway)
    return c.body(sliced(await own.metrics(), '\n', await processMetrics().metrics(), await traffic(gateway)), 200, {
      'content-type': own.contentType,
    })
  })
}

type Client = typeof import('prom-client')
type Registry = import('prom-client').Registry

/** The lines of all workloads, which may be many: written here, so that the scrape of a large gateway does not hold up its traffic. */
const traffic = async (gateway: Gateway): Promise<Iterable<string>> => {
  if (!gateway.status().plugins.some(({ name }) => name.startsWith('metrics/'))) return []
  const sums = await gateway.dispatch({ do: 'metrics' })
  return lines(sums)
}

function* lines(sums: Answers['metrics']): Generator<string> {
  const series = (way: keyof Bytes) => `gateway_workload_${way}_bytes_total`
  const helps: Readonly<Record<keyof Bytes, string>> = {
    request: 'clients sent to the workload',
    response: 'clients got from the workload',
  }
  for (const way of ['request', 'response'] as const) {
    yield `\n# HELP ${series(way)} Bytes that ${helps[way]}\n# TYPE ${series(way)} counter\n`
    // Nothing to escape: an id is letters, digits, - and _.
    for (const [id, bytes] of sums) yield `${series(way)}{workload="${id}"} ${bytes[way]}\n`
  }
}

const operations = ({ Counter, Histogram }: Client, registry: Registry, stats: readonly Stat[]): void => {
  const name = 'gateway_operation_duration_seconds'
  const help = 'How long operations took, from when they were taken until their answer'
  const labelNames = ['operation', 'outcome'] as const
  const values = stats.flatMap(({ do: operation, outcome, buckets, count, seconds }) => {
    const labels = { operation, outcome }
    const bucket = (le: string, value: number) => ({ metricName: `${name}_bucket`, labels: { ...labels, le }, value })
    return [
      ...buckets.filter(({ le }) => Number.isFinite(le)).map(({ le, count: below }) => bucket(String(le), below)),
      bucket('+Inf', count),
      { metricName: `${name}_sum`, labels, value: seconds },
      { metricName: `${name}_count`, labels, value: count },
    ]
  })
  /** A histogram of counts that the gateway made already; `observe` would only take single durations. */
  class Counted extends Histogram<(typeof labelNames)[number]> {
    /** What the registry asks instead of `get`, where a metric has it. */
    getForPromString() {
      return { name, help, type: 'histogram', values }
    }
  }
  new Counted({ name, help, labelNames, registers: [registry] })
  const total = new Counter({
    name: 'gateway_operations_total',
    help: 'Operations by kind and outcome',
    labelNames,
    registers: [registry],
  })
  for (const { do: operation, outcome, count } of stats) total.inc({ operation, outcome }, count)
}

const certificates = ({ Gauge }: Client, registry: Registry, gateway: Gateway): void => {
  const expiry = new Gauge({
    name: 'gateway_certificate_expiry_timestamp_seconds',
    help: 'When the certificate that is served ends',
    labelNames: ['certificate', 'resolver'],
    registers: [registry],
  })
  const states = new Gauge({
    name: 'gateway_certificates',
    help: 'Certificates by state',
    labelNames: ['state'],
    registers: [registry],
  })
  const renewal = new Gauge({
    name: 'gateway_certificate_next_timestamp_seconds',
    help: 'When the certificate is renewed, tried again, or dropped',
    labelNames: ['certificate', 'resolver'],
    registers: [registry],
  })
  const failing = new Gauge({
    name: 'gateway_certificate_failing',
    help: '1 where the last try failed, by the code of the error',
    labelNames: ['certificate', 'resolver', 'code'],
    registers: [registry],
  })
  for (const state of ['pending', 'ready', 'failed']) states.set({ state }, 0)
  for (const { id, resolver, state, certificate, next, code } of gateway.certificates.list()) {
    states.inc({ state })
    if (next) renewal.set({ certificate: id, resolver }, next.getTime() / 1000)
    if (code !== undefined) failing.set({ certificate: id, resolver, code }, 1)
    if (certificate) expiry.set({ certificate: id, resolver }, certificate.notAfter.getTime() / 1000)
  }
}

const state = ({ Gauge }: Client, registry: Registry, gateway: Gateway): void => {
  const { ready, version, routes, pending, plugins } = gateway.status()
  const gauge = (name: string, help: string, value: number) => new Gauge({ name, help, registers: [registry] }).set(value)
  gauge('gateway_ready', 'Whether the gateway takes operations', ready ? 1 : 0)
  gauge('gateway_workloads', 'Workloads that are served', routes)
  gauge('gateway_operations_pending', 'Operations that wait or run', pending)
  const info = new Gauge({ name: 'gateway_info', help: 'The version that runs', labelNames: ['version'], registers: [registry] })
  info.set({ version }, 1)
  const up = new Gauge({
    name: 'gateway_plugin_up',
    help: '1 unless the plugin is down',
    labelNames: ['plugin'],
    registers: [registry],
  })
  for (const { name, state } of plugins) up.set({ plugin: name }, state === 'down' ? 0 : 1)
}
