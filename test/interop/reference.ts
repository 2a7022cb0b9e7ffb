import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { follow } from '../cli/gateway-process.ts'
import { tempRoot } from '../kit/index.ts'
import { jsonOf } from './go.ts'

/** The folders of a Go gateway module, empty. */
export const moduleFolders = () => {
  const folder = tempRoot('module')
  onTestFinished(() => folder.remove())
  const [root, volatile] = [join(folder.path, 'root'), join(folder.path, 'volatile')]
  for (const path of [join(root, 'traefik'), join(volatile, 'proxy')]) mkdirSync(path, { recursive: true })
  return { root, volatile, proxy: join(volatile, 'proxy') }
}

/** The stand-in for the Go module (`reference/`), serving its queue. */
export const startModule = async (program: string, o: { broker: string; root: string; volatile: string; resolver: string }) => {
  const args = ['-broker', o.broker, '-root', o.root, '-volatile', o.volatile, '-resolver', o.resolver]
  const running = follow(program, args, { cwd: o.root })
  await running.until('ready')
  return running
}

/** What the Go module would have after a start on these folders: by domain the workload, and the files that it could not use. */
export const loadedByModule = async (program: string, o: { root: string; volatile: string }) =>
  (await jsonOf(program, ['-root', o.root, '-volatile', o.volatile, '-check'])) as {
    readonly domains: Readonly<Record<string, string>>
    readonly refused: readonly string[]
  }
