import { fileURLToPath } from 'node:url'
import { type Root, tempRoot } from '../../test/kit/root.ts'
import { run } from './process.ts'

const made = new Map<string, Promise<Root>>()

/** A fresh root folder in whose store are `routes` name workloads `w0`, `w1`, ... under one certificate, all with this backend. */
export const seededRoot = async (routes: number, backend: string, say: (line: string) => void): Promise<Root> => {
  const root = tempRoot('gateway-bench')
  if (routes === 0) return root
  const key = `${routes} ${backend}`
  const seed = made.get(key) ?? fill(routes, backend, say)
  made.set(key, seed)
  // Modes are kept: a state folder that others may read is refused.
  await run('cp', ['-a', `${(await seed).path}/.`, root.path])
  return root
}

const fill = async (routes: number, backend: string, say: (line: string) => void): Promise<Root> => {
  say(`storing ${routes} routes`)
  const root = tempRoot('gateway-bench-seed')
  const filler = fileURLToPath(new URL('fill.ts', import.meta.url))
  await run(process.execPath, ['--conditions=source', filler, root.path, String(routes), backend])
  return root
}
