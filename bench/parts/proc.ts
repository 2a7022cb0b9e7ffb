import { readdirSync, readFileSync } from 'node:fs'

/** CPU seconds (user and system) that a process and its living children have used. Linux. */
export const cpuSeconds = (pid: number): number => {
  const { user, system } = cpuTimes(pid)
  return user + system
}
/** The two apart. */
export const cpuTimes = (pid: number): { readonly user: number; readonly system: number } => {
  let [user, system] = [0, 0]
  for (const one of family(pid)) {
    const [own = 0, kernels = 0] = statOf(one).slice(11, 13).map(Number)
    user += own / ticksPerSecond
    system += kernels / ticksPerSecond
  }
  return { user, system }
}
/** Resident memory of a process and its living children, in bytes. */
export const residentBytes = (pid: number): number =>
  family(pid).reduce((bytes, one) => bytes + kilobytes(readFileSync(`/proc/${one}/status`, 'utf8')) * 1024, 0)

// What the kernel shows to programs on every architecture that Node runs on (USER_HZ).
const ticksPerSecond = 100

const family = (pid: number): readonly number[] => {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return [pid, ...children.flatMap(family)]
}
/** The fields behind the name, which may hold spaces: the first is the state. */
const statOf = (pid: number): readonly string[] => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}
const kilobytes = (status: string): number => Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0)
