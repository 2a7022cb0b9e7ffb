import { join } from 'node:path'
import type { Service } from '../../../core/index.ts'
import { netnsNamed, netnsOf } from '../../../lib/netns.ts'

/** One nnc: it listens on loopback, and dials one address in the network namespace of a tenant. */
export interface Unit {
  readonly name: string
  readonly port: number
  readonly namespace: string
  /** `10.20.2.5:9000`, `[fd00::5]:9000`. */
  readonly target: string
}
export interface Settings {
  readonly command: string
  readonly netns: string | undefined
  /** Where the files of network namespaces are. */
  readonly namespaces: string
  readonly ports: readonly [number, number]
  /** Milliseconds that networkd has for an answer, and that connections have to end. */
  readonly timeout: number
  readonly drain: number
}

/** The service of a unit. It is ready when it moved on to the tenant's namespace, which nnc does once it listens. */
export const serviceOf = (
  unit: Unit,
  { command, netns, namespaces }: Settings,
  pid: () => number | undefined,
): Service & { readonly keep: true } => ({
  name: unit.name,
  command,
  args: ['--listen', `127.0.0.1:${unit.port}`, '--namespace', join(namespaces, unit.namespace), '--target', unit.target],
  into: unit.namespace,
  stopSeconds: 2,
  startSeconds: 10,
  keep: true,
  ...(netns !== undefined && { netns }),
  probe: async () => {
    const [at, wanted] = [netnsOf(pid() ?? 0), netnsNamed(unit.namespace)]
    return at !== undefined && at === wanted
  },
})

/** What an nnc with these arguments does; `undefined` where they are not those of one on loopback. */
export const readUnit = (name: string, args: readonly string[]): Unit | undefined => {
  const after = (key: string) => args[args.indexOf(key) + 1]
  if (!['--listen', '--namespace', '--target'].every((key) => args.includes(key))) return undefined
  const port = Number(/^127\.0\.0\.1:(\d{1,5})$/.exec(after('--listen') ?? '')?.[1])
  const namespace = /([^/]+)$/.exec(after('--namespace') ?? '')?.[1]
  const target = after('--target')
  return port > 0 && namespace !== undefined && target !== undefined ? { name, port, namespace, target } : undefined
}

/** `nnc-<id>`, as the Go module names its only one, then `nnc-<id>.2` and so on: no id has a dot. */
export const freeName = (id: string, taken: readonly Unit[]): string => {
  const names = new Set(taken.map(({ name }) => name))
  for (let at = 1; ; at++) {
    const name = at === 1 ? `nnc-${id}` : `nnc-${id}.${at}`
    if (!names.has(name)) return name
  }
}
