/** Nodes of a CPU profile of V8, as its inspector gives them. */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string }
  }[]
  readonly samples: readonly number[]
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[]
}

/** The profiler of a process that listens with `--inspect` on this port. */
export const profilerAt = async (port: number) => {
  const found: { webSocketDebuggerUrl: string }[] = JSON.parse(await (await fetch(`http://127.0.0.1:${port}/json/list`)).text())
  const [target] = found
  if (!target) throw new Error(`there is nothing to look into on port ${port}`)
  const socket = new WebSocket(target.webSocketDebuggerUrl)
  await new Promise((done, fail) => {
    socket.addEventListener('open', done, { once: true })
    socket.addEventListener('error', fail, { once: true })
  })
  const waiting = new Map<number, PromiseWithResolvers<string>>()
  socket.addEventListener('message', ({ data }) => {
    const { id, error }: { id: number; error?: { message: string } } = JSON.parse(String(data))
    if (error) waiting.get(id)?.reject(new Error(error.message))
    else waiting.get(id)?.resolve(String(data))
    waiting.delete(id)
  })
  let last = 0
  const ask = (method: string, params = {}) => {
    const answer = Promise.withResolvers<string>()
    waiting.set(++last, answer)
    socket.send(JSON.stringify({ id: last, method, params }))
    return answer.promise
  }
  await ask('Profiler.enable')
  await ask('Profiler.setSamplingInterval', { interval: 500 })
  return {
    /** What the process does while `work` runs. */
    async during(work: () => Promise<unknown>): Promise<Profile> {
      await ask('Profiler.start')
      await work()
      const { result }: { result: { profile: Profile } } = JSON.parse(await ask('Profiler.stop'))
      return result.profile
    },
    close: () => socket.close(),
  }
}

/** The share of each group of the time in which the process was not idle. */
export const sharesOf = (profile: Profile, groupOf: (name: string, url: string) => string): ReadonlyMap<string, number> => {
  const groups = new Map(profile.nodes.map(({ id, callFrame }) => [id, groupOf(callFrame.functionName, callFrame.url)]))
  const idle = new Set(profile.nodes.filter(({ callFrame }) => callFrame.functionName === '(idle)').map(({ id }) => id))
  const times = new Map<string, number>()
  let all = 0
  for (const [at, id] of profile.samples.entries()) {
    const group = groups.get(id)
    const time = profile.timeDeltas[at + 1] ?? 0
    if (group === undefined || idle.has(id)) continue
    times.set(group, (times.get(group) ?? 0) + time)
    all += time
  }
  return new Map([...times].map(([group, time]) => [group, time / all]))
}
