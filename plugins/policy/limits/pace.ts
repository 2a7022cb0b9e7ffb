import { type Admission, GatewayError } from '../../../core/index.ts'

export interface Pace {
  /** Operations a second of one tenant. */
  readonly operations: number
  /** How many a tenant that was quiet may send at once. */
  readonly burst: number
  /** How many of a tenant run at once. */
  readonly parallel: number
  /** Seconds that one waits for its turn; one that would wait longer is refused. */
  readonly wait: number
}
interface Tenant {
  readonly waiting: (() => void)[]
  running: number
  /** What it may begin now; one more every 1 / operations seconds, up to the burst. */
  tokens: number
  at: number
  timer: NodeJS.Timeout | undefined
}

/** A line for each tenant: it moves at the tenant's own pace, and nobody waits in another's. */
export const paces = ({ operations, burst, parallel, wait }: Pace, now = () => performance.now()) => {
  const tenants = new Map<string, Tenant>()
  let closed = false

  const refill = (tenant: Tenant) => {
    const time = now()
    tenant.tokens = Math.min(burst, tenant.tokens + ((time - tenant.at) / 1_000) * operations)
    tenant.at = time
  }
  const of = (name: string): Tenant => {
    const known = tenants.get(name)
    if (known) refill(known)
    const tenant = known ?? { waiting: [], running: 0, tokens: burst, at: now(), timer: undefined }
    tenants.set(name, tenant)
    return tenant
  }
  const free = (tenant: Tenant) => closed || (tenant.running < parallel && tenant.tokens >= 1)
  const begin = (tenant: Tenant) => {
    tenant.running++
    tenant.tokens--
  }
  const move = (tenant: Tenant) => {
    refill(tenant)
    while (tenant.waiting.length > 0 && free(tenant)) {
      begin(tenant)
      tenant.waiting.shift()?.()
    }
    if (tenant.waiting.length === 0 || tenant.timer || tenant.tokens >= 1) return
    tenant.timer = setTimeout(
      () => {
        tenant.timer = undefined
        move(tenant)
      },
      Math.ceil(((1 - tenant.tokens) / operations) * 1_000),
    )
  }
  /** Who was quiet for long is as one who never came. */
  const sweep = setInterval(() => {
    for (const [name, tenant] of tenants) {
      refill(tenant)
      if (tenant.running === 0 && tenant.waiting.length === 0 && tenant.tokens >= burst) tenants.delete(name)
    }
  }, 10_000).unref()

  return {
    admit(name: string): Admission {
      const tenant = of(name)
      if (tenant.waiting.length === 0 && free(tenant)) {
        begin(tenant)
        return { end: once(() => leave(tenant)) }
      }
      const seconds = (tenant.waiting.length + 1 - tenant.tokens) / operations
      if (seconds > wait) throw tooFast(name, operations, seconds - wait)
      const turn = Promise.withResolvers<void>()
      let began = false
      const go = () => {
        began = true
        turn.resolve()
      }
      tenant.waiting.push(go)
      move(tenant)
      const end = once(() => {
        if (began) return leave(tenant)
        const place = tenant.waiting.indexOf(go)
        if (place >= 0) tenant.waiting.splice(place, 1)
      })
      return { ready: turn.promise, end }
    },
    /** How many tenants it knows of. */
    get size() {
      return tenants.size
    },
    /** Whoever waits may begin. */
    close(): void {
      closed = true
      clearInterval(sweep)
      for (const tenant of tenants.values()) {
        clearTimeout(tenant.timer)
        move(tenant)
      }
    },
  }

  function leave(tenant: Tenant) {
    tenant.running--
    move(tenant)
  }
}

const tooFast = (tenant: string, operations: number, seconds: number): GatewayError =>
  new GatewayError(
    'LIMIT',
    `tenant ${tenant} sends more than ${operations} operations a second, and too many of them wait already`,
    `ask again in ${Math.ceil(seconds)} s; the operator of the gateway can raise limits({ operations })`,
    { retryAt: new Date(Date.now() + seconds * 1_000) },
  )

const once = (work: () => void): (() => void) => {
  let done = false
  return () => {
    if (done) return
    done = true
    work()
  }
}
