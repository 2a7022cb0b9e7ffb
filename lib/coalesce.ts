/**
 * Makes calls share runs of `work`: a run that began before a call does not count for it, calls that come during a run wait for one
 * more, and all of them get that run's outcome. Runs never overlap. The first call runs at once; the ones after it start no sooner
 * than `gap` milliseconds after the last run ended.
 */
export const coalesce = (work: () => Promise<void>, gap = 0): (() => Promise<void>) => {
  let next: Promise<void> | undefined
  let running: Promise<void> = Promise.resolve()
  let ended = Number.NEGATIVE_INFINITY
  const turn = async (): Promise<void> => {
    const wait = ended + gap - performance.now()
    if (wait > 0) await new Promise((done) => setTimeout(done, wait))
    next = undefined
    try {
      await work()
    } finally {
      ended = performance.now()
    }
  }
  return () => {
    if (!next) {
      next = running.then(turn)
      running = next.catch(() => undefined)
    }
    return next
  }
}
