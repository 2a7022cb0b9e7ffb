interface Waiter {
  readonly patient: boolean
  resolve(): void
  reject(error: Error): void
}

/** Those who wait for a service to be up: the patient ones through all its failures, the others for the first try. */
export const waitersFor = () => {
  const all = new Set<Waiter>()
  const take = (which: (waiter: Waiter) => boolean): readonly Waiter[] => {
    const taken = [...all].filter(which)
    for (const waiter of taken) all.delete(waiter)
    return taken
  }
  return {
    wait: (patient: boolean) => new Promise<void>((resolve, reject) => void all.add({ patient, resolve, reject })),
    up(): void {
      for (const { resolve } of take(() => true)) resolve()
    },
    failed(error: Error): void {
      for (const { reject } of take(({ patient }) => !patient)) reject(error)
    },
    stopped(error: Error): void {
      for (const { reject } of take(() => true)) reject(error)
    },
  }
}
