export interface TimeShare {
  /** Whether there is time left. */
  left(): boolean
  /** Does the work and charges the time that it takes. */
  spend<T>(work: () => T): T
}

/** Gives one kind of work a share of the event loop: `share` of all time, and `burst` ms at once after a rest. */
export const timeShare = ({ share = 0.25, burst = 50, now = () => performance.now() } = {}): TimeShare => {
  let budget = burst
  let at = now()
  const refill = (time: number): void => {
    budget = Math.min(burst, budget + (time - at) * share)
    at = time
  }
  return {
    left() {
      refill(now())
      return budget > 0
    },
    spend(work) {
      const began = now()
      refill(began)
      try {
        return work()
      } finally {
        // Not more than one burst: a process that the machine did not let run would be without its share for long.
        budget = Math.max(-burst, budget - (now() - began))
      }
    },
  }
}
