import { readdirSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** A plugin for the config of the gateway under trial: says every `seconds`, after a full collection, what the process holds. */
export const sampling = (seconds) => ({
  name: 'service/sampling',
  kind: 'service',
  options: { seconds },
  setup({ log }) {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc')
    const timer = setInterval(() => {
      collect()
      const { rss, heapUsed, external } = process.memoryUsage()
      const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout' || name === 'Immediate').length
      const descriptors = readdirSync('/proc/self/fd').length
      log('soak sample', { at: performance.now(), rss, heap: heapUsed + external, descriptors, timers })
    }, seconds * 1_000)
    return { close: () => clearInterval(timer) }
  },
})
