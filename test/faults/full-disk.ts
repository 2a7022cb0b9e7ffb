import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GatewayError } from '../../core/index.ts'
import { level } from '../../plugins/store/level/index.ts'
import { openStore } from '../kit/store/open.ts'
import { route } from '../kit/store/samples.ts'

/** Runs on a small file system of its own: fills it, writes on, makes room, writes on, and says what was answered and what is there. */
const [root = ''] = process.argv.slice(2)
const filler = join(root, 'filler')
const outcomes: { id: string; answer: string }[] = []
let store = await openStore(level(), root)
let next = 0

const commit = async (count: number) => {
  for (let n = 0; n < count; n++) {
    const id = `1-${next++}-full`
    const backends = Array.from({ length: 100 }, (_, host) => `http://10.0.${next & 255}.${host}:80`)
    const answer = await store.commit([{ put: route(id, { backends }) }]).then(
      () => 'ok',
      (error: unknown) => (error instanceof GatewayError ? `${error.code}: ${error.message}` : `not a GatewayError: ${error}`),
    )
    outcomes.push({ id, answer })
  }
}
const fill = (left: number) => {
  const { bavail, bsize } = statfsSync(root)
  writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - left)))
}
const ids = async () => (await store.load()).routes.map(({ id }) => id)

for (const left of [100_000, 30_000, 8_192, 0]) {
  await commit(5)
  fill(left)
  await commit(60)
  rmSync(filler)
  await commit(5)
}
// The last page of the log has room, and the database gives back files behind our back: full is when a write is refused.
for (let rounds = 0; rounds < 200; rounds++) {
  fill(0)
  await commit(1)
  if (outcomes.at(-1)?.answer !== 'ok') break
}
rmSync(filler)
await commit(1)
const afterwards = await ids()
await store.close()
store = await openStore(level(), root)
console.log(JSON.stringify({ outcomes, afterwards, reopened: await ids() }))
await store.close()
