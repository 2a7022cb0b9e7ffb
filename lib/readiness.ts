import { setTimeout as sleep } from 'node:timers/promises'

/** Of a service: asked until true, for `startSeconds` (30). */
interface Probed {
  probe?(signal: AbortSignal): Promise<boolean>
  readonly startSeconds?: number
}

/** Asks the service's probe until it is true: then true; false after `startSeconds` or when `signal` is aborted. */
export const comesUp = async (service: Probed, signal: AbortSignal): Promise<boolean> => {
  if (!service.probe) return !signal.aborted
  const late = AbortSignal.timeout((service.startSeconds ?? 30) * 1000)
  const over = AbortSignal.any([signal, late])
  for (let wait = 20; !over.aborted; wait = Math.min(wait * 2, 250)) {
    if (await ask(service, over)) return !signal.aborted
    await sleep(wait, undefined, { signal: over }).catch(() => undefined)
  }
  return false
}

/** One that hangs, ignoring its signal too, is as good as false. */
const ask = (service: Probed, over: AbortSignal): Promise<boolean> => {
  const limit = AbortSignal.any([over, AbortSignal.timeout(5_000)])
  return Promise.race([
    Promise.resolve().then(() => service.probe?.(limit) ?? true),
    new Promise<false>((done) => limit.addEventListener('abort', () => done(false), { once: true })),
  ]).catch(() => false)
}
