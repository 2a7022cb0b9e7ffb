import { join } from 'node:path'
import { freePort } from '../test/kit/port.ts'
import { tempRoot } from '../test/kit/root.ts'
import { digits, median, ms, percentile } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'
import { builtPackage } from './parts/package.ts'
import { run, start } from './parts/process.ts'
import { startChp } from './peers/chp.ts'
import { givenFor } from './peers/given.ts'

/** A gateway without config or state, from its start until it says that it is up, beside a Node that does nothing, in turns. */
export const measure = async ({ quick, say }: Options): Promise<Figure> => {
  const rounds = quick ? 8 : 30
  const built = await builtPackage(say)
  const given = await givenFor(await freePort(), say)
  const taken = { gateway: [] as number[], node: [] as number[], chp: [] as number[], ratio: [] as number[] }
  for (let round = -1; round < rounds; round++) {
    const began = performance.now()
    await run(process.execPath, ['-e', '0'])
    const node = performance.now() - began
    const gateway = await coldStart(built)
    if (round < 0) continue
    taken.node.push(node)
    taken.gateway.push(gateway)
    taken.ratio.push(gateway / node)
    if (round % 4 !== 0) continue
    const chp = await startChp(given, false)
    await chp.process.stop()
    taken.chp.push(chp.process.took)
  }
  const row = (name: string, samples: readonly number[]) => [
    name,
    ms(median(samples)),
    ms(percentile(samples, 0.9)),
    `${digits(median(samples) / median(taken.node))}x`,
  ]
  return {
    title: 'Cold start with an empty store',
    columns: ['what', 'p50', 'p90', 'of `node -e 0`'],
    rows: [
      row('node -e 0', taken.node),
      row('zos-gateway, until it says that it is up', taken.gateway),
      row('configurable-http-proxy, until its API takes a route', taken.chp),
    ],
    targets: [{ what: 'cold start, of node -e 0, pair by pair', value: median(taken.ratio), most: 8 }],
    notes: ['The built package in an empty folder without a config: the local preset, every port its own, a new store.'],
  }
}

const coldStart = async (built: string): Promise<number> => {
  const root = tempRoot('gateway-bench')
  const [http, https, api] = [await freePort(), await freePort(), await freePort()]
  const ports = ['--http', String(http), '--https', String(https), '--api', String(api)]
  const gateway = await start(process.execPath, [join(built, 'bin/gateway.js'), '--root', join(root.path, 'state'), ...ports], {
    says: 'is up',
    cwd: root.path,
  })
  await gateway.stop()
  await root.remove()
  return gateway.took
}
