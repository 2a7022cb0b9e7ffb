import { fork } from 'node:child_process'
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from '../core/index.ts'
import { level } from '../plugins/store/level/index.ts'
import { tempRoot } from '../test/kit/index.ts'
import { openStore } from '../test/kit/store/open.ts'
import { route } from '../test/kit/store/samples.ts'

// Commits a second at 1, 16 and 64 callers beside a bare write and fdatasync of this disk, then the load of 100,000 routes.
//
//     node --conditions=source bench/store.ts [seconds of each line, default 2]

const seconds = Number(process.argv[2] ?? 2)
const count = 100_000
const load = process.argv[3]

const main = async () => {
  const root = tempRoot('bench-store')
  const lines = [
    ['bare write + fdatasync', bareSync(root.path)],
    ...(await each('level', level())),
    ...(await each('level, durability: process', level({ durability: 'process' }))),
  ]
  for (const [name, rate] of lines) console.log(`${String(name).padEnd(44)}${Math.round(Number(rate)).toLocaleString('en')} /s`)
  await fill(root.path)
  for (let n = 0; n < 3; n++)
    await once(fork(new URL(import.meta.url), ['0', root.path], { execArgv: [...process.execArgv, '--expose-gc'] }))
  await root.remove()
}

/** One record at a time, as large as the record of a route in LevelDB's log. */
const bareSync = (root: string): number => {
  const file = openSync(join(root, 'bare'), 'w')
  const record = Buffer.alloc(330, 'x')
  const end = performance.now() + seconds * 1_000
  let done = 0
  for (; performance.now() < end; done++) {
    writeSync(file, record)
    fdatasyncSync(file)
  }
  closeSync(file)
  return done / seconds
}

const each = async (name: string, plugin: Plugin<'store'>) => {
  const lines: [string, number][] = []
  for (const callers of [1, 16, 64]) lines.push([`${name}, ${callers} at once`, await commits(plugin, callers)])
  return lines
}
const commits = async (plugin: Plugin<'store'>, callers: number): Promise<number> => {
  const root = tempRoot('bench-store')
  const store = await openStore(plugin, root.path)
  const end = performance.now() + seconds * 1_000
  let done = 0
  const call = async (caller: number) => {
    for (let n = 0; performance.now() < end; n++, done++) await store.commit([{ put: route(`${caller}-${n}-bench`) }])
  }
  await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)))
  await store.close()
  await root.remove()
  return done / seconds
}

const fill = async (root: string) => {
  const store = await openStore(level({ durability: 'process' }), root)
  for (let start = 0; start < count; start += 1_000) {
    const routes = Array.from({ length: 1_000 }, (_, n) =>
      route(`${start % 997}-${start + n}-bench`, { backends: [`http://10.1.${n % 250}.5:9000`] }),
    )
    await store.commit(routes.map((put) => ({ put })))
  }
  await store.close()
}

/** In a fresh process: how long until the routes are there, and what they take. */
const measureLoad = async (root: string) => {
  globalThis.gc?.()
  const before = process.memoryUsage()
  const began = performance.now()
  const store = await openStore(level(), root)
  const opened = performance.now()
  const { routes } = await store.load()
  const done = performance.now()
  const peak = process.memoryUsage().rss
  globalThis.gc?.()
  const after = process.memoryUsage()
  const each = (bytes: number) => `${Math.round(bytes / routes.length)} B a route`
  console.log(
    `load ${routes.length.toLocaleString('en')} routes: open ${Math.round(opened - began)} ms, read ${Math.round(done - opened)} ms; ` +
      `heap ${each(after.heapUsed - before.heapUsed)}, RSS ${each(peak - before.rss)}`,
  )
  await store.close()
}

const once = (child: ReturnType<typeof fork>) => new Promise<void>((done) => child.once('close', () => done()))

await (load === undefined ? main() : measureLoad(load))
