import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Journal, type Written } from '../../../../plugins/engine/traefik/endpoint/journal.ts'

/** Runs where the folder is a small file system of its own: says what a journal answers as that fills up, and what it has when opened anew. */
const [folder = ''] = process.argv.slice(2)
const large = JSON.stringify('x'.repeat(20_000))
const open = async () => {
  const all = new Map<string, string>()
  const take = ([key, json]: Written) => void (json === null ? all.delete(key) : all.set(key, json))
  const journal = await Journal.open(folder, take, () => all)
  const append = (key: string, json: string) =>
    journal.append([[key, json]]).then(
      () => 'durable',
      (error: NodeJS.ErrnoException) => error.code,
    )
  return { append, keys: [...all.keys()], close: () => journal.close() }
}

const first = await open()
const told = [await first.append('before', large)]
const { bavail, bsize } = statfsSync(folder)
// One page has room, and the next line begins within one.
writeFileSync(join(folder, 'filler'), Buffer.alloc((bavail - 1) * bsize))
told.push(await first.append('large', large), await first.append('small', '1'))
await first.close()
rmSync(join(folder, 'filler'))
const second = await open()
await second.close()
console.log(JSON.stringify({ told, keys: second.keys }))
