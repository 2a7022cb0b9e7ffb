import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { definePlugin, type Plugin, type Service, type Supervised, Supervisor } from '../../../../core/index.ts'
import { tempRoot } from '../../../kit/index.ts'
import { isRunning } from '../../../kit/kept.ts'

export const patience = { timeout: 60_000, interval: 20 }

/** A folder whose children are all gone when the test is over. */
export const ownRoot = (): string => {
  const root = tempRoot('processes')
  onTestFinished(async () => {
    for (const pid of marked(root.path)) process.kill(pid, 'SIGKILL')
    await root.remove()
  })
  return root.path
}

/** Processes that carry the mark of this root's children, of one name if given. */
export const marked = (root: string, name = ''): readonly number[] =>
  readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return []
    try {
      const found = readFileSync(`/proc/${entry}/environ`, 'utf8').includes(`ZOS_GATEWAY_SERVICE=${root}/run/${name}`)
      return found && isRunning(Number(entry)) ? [Number(entry)] : []
    } catch {
      return []
    }
  })

/** A plugin that runs one service as long as it is in the list. */
export const runs = (service: Service, options: unknown = service): Plugin & { readonly running: { now?: Supervised } } => {
  const running: { now?: Supervised } = {}
  const plugin = definePlugin({
    name: `service/${service.name}`,
    kind: 'service',
    options,
    needs: { supervisor: Supervisor },
    setup: async ({ supervisor }) => {
      const one = await supervisor.run(service)
      running.now = one
      return { close: () => one.release() }
    },
  })
  return { ...plugin, running }
}

export const sleeper = (name: string, more: Partial<Service> = {}): Service => ({
  name,
  command: 'sleep',
  args: ['1000'],
  stopSeconds: 1,
  ...more,
})

/** A process that is nobody's child of the gateway. */
export const stranger = (): ChildProcess & { readonly pid: number } => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  const { pid = 0 } = child
  return Object.assign(child, { pid })
}

export const recordOf = (root: string, name: string): Record<string, unknown> | undefined => {
  const path = join(root, 'run', `${name}.json`)
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}
