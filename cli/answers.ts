import type { z } from '@hono/zod-openapi'
import type * as schemas from '../plugins/transport/http-api/schemas.ts'

/** What the API answers, as it describes itself. Types only: nothing of it is loaded. */
export type Workload = z.infer<typeof schemas.Workload>
export type Applied = z.infer<typeof schemas.Applied>
export type Workloads = z.infer<typeof schemas.Workloads>
export type Plan = z.infer<typeof schemas.Plan>
export type Metrics = z.infer<typeof schemas.Metrics>
export type Certificates = z.infer<typeof schemas.Certificates>
export type AcmeAccount = z.infer<typeof schemas.AcmeAccount>
export type AcmeAccounts = z.infer<typeof schemas.AcmeAccounts>
export type Status = z.infer<typeof schemas.Status>
export type Examined = z.infer<typeof schemas.Examined>
export type DnsRecords = z.infer<typeof schemas.DnsRecords>
export type ReloadReport = z.infer<typeof schemas.ReloadReport>
