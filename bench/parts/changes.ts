import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { api } from './client.ts'
import { domain, type GatewayProcess } from './gateway.ts'
import { watchLive } from './live.ts'
import { digits, median, percentile } from './numbers.ts'
import { cpuSeconds } from './proc.ts'

/** Milliseconds from a change until it is live, and CPU seconds that it took in all processes together. */
export interface Samples {
  readonly live: number[]
  readonly cpu: number[]
}
export interface Subject {
  readonly https: number
  readonly pid: number
  add(name: string): unknown
  close(): Promise<unknown>
}

/** So long after a change is live its CPU is counted, in ms. */
const settle = 600

/** Adds so many routes one after another, and sees when each is live. One before them is not counted. */
export const take = async (subject: Subject, changes: number): Promise<Samples> => {
  const watch = watchLive(subject.https, `w0.${domain}`)
  const samples: Samples = { live: [], cpu: [] }
  try {
    await watch.until(`w0.${domain}`)
    await wait(1_000)
    for (let n = -1; n < changes; n++) {
      const name = `s${n + 1}`
      const [before, began] = [cpuSeconds(subject.pid), performance.now()]
      subject.add(name)
      await watch.until(`${name}.${domain}`)
      const live = performance.now() - began
      await wait(settle)
      if (n < 0) continue
      samples.live.push(live)
      samples.cpu.push(cpuSeconds(subject.pid) - before)
    }
  } finally {
    watch.close()
  }
  return samples
}

/** A gateway on Traefik that routes are added to over its HTTP API. */
export const gatewayOf = (gateway: GatewayProcess, backend: string): Subject & { readonly gateway: GatewayProcess } => {
  const calls = api(join(gateway.root, 'gateway.sock'), 32)
  const close = async () => {
    calls.close()
    await gateway.stop()
  }
  return { gateway, https: gateway.https, pid: gateway.pid, add: (name) => calls.set(`41-${name}-bench`, name, backend), close }
}

export const seconds = (ms: number): string => `${digits(ms / 1_000)} s`
const cpu = ({ cpu }: Samples): string => `${digits(median(cpu))} s`

/** p50, p99 and CPU of a change, for a table. */
export const cells = (samples: Samples): readonly string[] => [
  seconds(median(samples.live)),
  seconds(percentile(samples.live, 0.99)),
  cpu(samples),
]
