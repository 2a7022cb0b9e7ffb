import { frameSize } from './codes.ts'

/** What a client may do that costs it nothing: so many of each in a second. */
export interface Rates {
  /** PING and SETTINGS, which have to be answered. */
  control(): boolean
  /** Frames that move nothing: empty DATA, PRIORITY, unknown ones, and window updates beyond what was sent. */
  idle(): boolean
  /** Streams that came to nothing: reset by the client, or here because of what it sent (CVE-2023-44487, CVE-2025-8671). */
  reset(): boolean
  /**
   * Body bytes went out. Clients open both windows again with every 4 KiB that they read (Go's does), and gRPC measures the way with a
   * PING for what it gets.
   */
  sent(bytes: number): void
}

/** Each tells whether it is still within bounds. */
export const rates = (controlFrames: number): Rates => {
  const control = perSecond(controlFrames)
  const idle = perSecond(controlFrames * 10)
  const reset = bucket(1_000, 33)
  return {
    control: control.take,
    idle: idle.take,
    reset,
    sent: (bytes) => {
      idle.give(bytes / 2_048)
      // Each write has at least one DATA frame, and the last one of it is seldom a full one.
      control.give(Math.ceil(bytes / frameSize))
    },
  }
}
/** What may be saved up by what was sent: some windows' worth of it. */
const mostSaved = 16_384

const perSecond = (most: number): { take(): boolean; give(count: number): void } => {
  let since = 0
  let count = 0
  return {
    take: () => {
      const now = performance.now()
      if (now - since > 1_000) {
        since = now
        count = Math.min(count, 0)
      }
      count++
      return count <= most
    },
    give: (some) => {
      count = Math.max(count - some, -mostSaved)
    },
  }
}

const bucket = (size: number, refill: number) => {
  let left = size
  let since = 0
  return (): boolean => {
    const now = performance.now()
    left = Math.min(size, left + ((now - since) / 1_000) * refill) - 1
    since = now
    return left >= 0
  }
}
