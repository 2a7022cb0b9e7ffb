import { z } from '@hono/zod-openapi'
import { errorCodes } from '../../../core/index.ts'

/** What the API takes and answers, as OpenAPI describes it. The rules behind the shapes of a PUT are `parseOperation`'s. */
const id = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,128}$/)
  .openapi({ description: 'Workload id, such as twin-contract-name', example: '40-1976-shop' })
const time = z.iso.datetime()
const backend = z.string().openapi({ example: 'http://10.20.2.5:9000' })

export const Wanted = z
  .strictObject({
    fqdn: z.string().nullish().openapi({ description: 'A whole host name; give this or `name`' }),
    name: z
      .string()
      .nullish()
      .openapi({ description: "One label under the gateway's domain; give this or `fqdn`", pattern: '^[A-Za-z0-9_-]{1,63}$' }),
    backends: z.array(backend).min(1).max(64).openapi({
      description: '`http://ip[:port]` or `https://ip:port`; with passthrough `ip:port` or `https://ip:port`',
    }),
    passthrough: z.boolean().nullish().openapi({ description: 'The backend ends TLS, not the gateway' }),
    network: z
      .string()
      .nullish()
      .openapi({ description: 'The private network of the tenant in which the backends live', pattern: '^[A-Za-z0-9_]{1,50}$' }),
  })
  .openapi('Wanted', {
    anyOf: [{ required: ['fqdn'] }, { required: ['name'] }],
    example: { name: 'shop', backends: ['http://10.20.2.5:9000'] },
  })

const Tls = z.discriminatedUnion('mode', [
  z.object({ mode: z.literal('passthrough') }),
  z.object({
    mode: z.literal('terminate'),
    resolver: z.string(),
    names: z.array(z.string()),
    challenge: z.enum(['http-01', 'dns-01', 'tls-alpn-01']).optional(),
  }),
])

const workload = {
  id,
  kind: z.enum(['fqdn', 'name']),
  host: z.string(),
  url: z.string().openapi({ example: 'https://shop.gent01.grid.tf/' }),
  zone: z.string().optional(),
  tenant: z.string(),
  backends: z.array(backend),
  passthrough: z.boolean(),
  network: z.string().optional(),
  tls: Tls,
}
const certificateOf = z
  .object({
    state: z.enum(['pending', 'ready', 'failed']),
    error: z.string().optional(),
    code: z.string().optional(),
    fix: z.string().optional(),
  })
  .openapi({ description: 'Where TLS ends here by a certificate that the gateway gets: how that is' })
export const Workload = z.object({ ...workload, certificate: certificateOf.optional() }).openapi('Workload')
export const Applied = z
  .object({
    ...workload,
    applied: time.openapi({ description: 'When it was durable and taken by the engine' }),
    live: time.optional().openapi({ description: 'When clients were served; only with ?wait=live' }),
  })
  .openapi('Applied')
export const Workloads = z
  .object({ workloads: z.array(Workload), next: id.optional().openapi({ description: 'The `after` of the next page' }) })
  .openapi('Workloads')

const Problem = z.object({ code: z.enum(Object.keys(errorCodes)), message: z.string(), fix: z.string() }).openapi('ProblemItem')
export const ProblemDetails = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(errorCodes)),
    detail: z.string().openapi({ description: 'What happened' }),
    fix: z.string().openapi({ description: 'What to do about it' }),
    problems: z.array(Problem).openapi({ description: 'All that stands against the request, the first as above' }),
  })
  .openapi('Problem')
export const Plan = z
  .object({ route: Workload.optional(), current: Workload.optional(), problems: z.array(Problem) })
  .openapi('Plan', { description: 'What a PUT would do, beside what is in place' })

const bytes = z.object({ request: z.number(), response: z.number() }).openapi('Bytes')
export const Metrics = z.object({ workloads: z.record(id, bytes) }).openapi('Metrics')

const Certificate = z
  .object({
    id: z.string(),
    resolver: z.string(),
    names: z.array(z.string()),
    state: z.enum(['pending', 'ready', 'failed']),
    users: z.int(),
    notBefore: time.optional(),
    notAfter: time.optional(),
    next: time.optional().openapi({ description: 'When it is renewed, tried again, or dropped where no workload uses it' }),
    why: z.string().openapi({ description: 'Why it is here' }),
    error: z.string().optional().openapi({ description: 'What went wrong last' }),
    code: z.string().optional(),
    fix: z.string().optional(),
    meanwhile: z.string().optional().openapi({ description: 'The resolver whose certificate is served until there is this one' }),
  })
  .openapi('Certificate')
export const AcmeAccount = z
  .object({
    directory: z.string(),
    url: z.string().optional(),
    state: z.enum(['none', 'valid', 'deactivated']).openapi({ description: '`deactivated`: the CA no longer serves it' }),
  })
  .openapi('AcmeAccount')
export const AcmeAccounts = z.object({ accounts: z.array(AcmeAccount) }).openapi('AcmeAccounts')
export const NewAcmeAccount = z.strictObject({ directory: z.string() }).openapi('NewAcmeAccount')
export const Certificates = z.object({ certificates: z.array(Certificate) }).openapi('Certificates')

const list = z.array(z.string())
const health = z.enum(['ok', 'degraded', 'down'])
const plugin = z.object({
  name: z.string(),
  state: health,
  reason: z.string().optional(),
  facts: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
})
export const Status = z
  .object({
    ready: z.boolean(),
    version: z.string(),
    root: z.string(),
    started: time,
    routes: z.int(),
    pending: z.int(),
    plugins: z.array(plugin),
    certificates: z.object({
      ready: z.int(),
      pending: z.int(),
      failed: z.int().openapi({ description: 'That have none, or are not renewed: the last try failed' }),
      failing: z
        .array(z.object({ names: list, state: z.string(), error: z.string(), code: z.string(), fix: z.string() }))
        .openapi({ description: 'The first ten of those whose last try failed' }),
    }),
  })
  .openapi('Status')
export const Ready = z.object({ ready: z.boolean(), reasons: z.array(z.string()) }).openapi('Ready')
export const ReloadReport = z.object({ kept: list, replaced: list, added: list, removed: list }).openapi('ReloadReport')

export const Examined = z
  .object({
    host: z.string(),
    findings: z.array(
      z.object({
        check: z.enum(['name', 'address', 'apex', 'delegation', 'challenge', 'caa', 'port-80', 'port-443', 'budget']),
        state: z.enum(['ok', 'warn', 'bad', 'unknown']),
        seen: z.string(),
        fix: z.string().optional().openapi({ description: 'What to do, with the line to add to the zone' }),
      }),
    ),
  })
  .openapi('Examined')
export const DnsRecords = z.object({ records: list }).openapi('DnsRecords', { description: 'Lines of a zone file' })

const flag = z.enum(['', 'true'])
export const PutQuery = z.strictObject({
  plan: flag.optional().openapi({ description: 'Only say what would happen' }),
  wait: z.literal('live').optional().openapi({ description: 'Answer once clients are served with the certificate' }),
})
export const ListQuery = z.strictObject({
  tenant: z.string().max(128).optional(),
  host: z.string().max(253).optional(),
  kind: z.enum(['fqdn', 'name']).optional(),
  passthrough: z.enum(['true', 'false']).optional(),
  after: id.optional().openapi({ description: 'The last id of the page before' }),
  limit: z.coerce.number().int().min(1).max(1000).optional().openapi({ description: 'Default 100' }),
})
export const EventsQuery = z.strictObject({
  since: z.coerce.number().int().min(0).optional().openapi({ description: 'Resume after this event; 0 for all that are kept' }),
  follow: z.enum(['true', 'false']).optional().openapi({ description: 'false: end after the kept events. Default true' }),
})
export const Backup = z.string().openapi('Backup', { description: 'A record a line' })
export const NoQuery = z.strictObject({})
export const IdPath = z.object({ id })
export const NamePath = z.object({ name: z.string() })
export const TextId = z.object({ id: z.string() })
