import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { tempRoot } from '../../test/kit/root.ts'
import { syncTimes } from './disk.ts'
import { digits, median, percentile } from './numbers.ts'

let told: Promise<string> | undefined

/** Cores, CPU, Node, and what one fdatasync costs on the disk of the temporary folder. */
export const machine = (): Promise<string> => {
  told ??= describe()
  return told
}

const describe = async (): Promise<string> => {
  const root = tempRoot('gateway-bench-disk')
  const samples = await syncTimes(root.path, 1_000)
  await root.remove()
  const model = cpus()[0]?.model.replaceAll(/\s+/g, ' ').trim()
  const disk = `one fdatasync ${digits(median(samples))} ms (p99 ${digits(percentile(samples, 0.99))} ms)`
  const before = isRealTime() ? ', at real-time priority, before all else that the machine does' : ''
  return `${cpus().length} cores, ${model}, Node ${process.versions.node}, ${disk}${before}`
}

/** Whether the scheduler takes this process, and so all that it started, before usual ones: its policy is FIFO or RR. Linux. */
const isRealTime = (): boolean => {
  const stat = readFileSync('/proc/self/stat', 'utf8')
  const policy = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38]
  return policy === '1' || policy === '2'
}
