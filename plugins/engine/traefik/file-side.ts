import { readdir } from 'node:fs/promises'
import { inTurn } from '../../../lib/one-by-one.ts'
import type { Documents, Refused, Side } from './feed.ts'
import type { Folder } from './folder.ts'
import { sharedName } from './shared.ts'
import { yaml } from './yaml.ts'

/** Routes as files, one a document. `shared`: what all routes share, which stays there also when the routes are elsewhere. */
export const fileSide = (o: { folder: Folder; shared: (generation: number) => object; hangUp: () => void }): Side => {
  const { folder, shared, hangUp } = o
  const ordered = inTurn()
  const sharedAt = (generation: number): [string, string] => [fileOf(sharedName), yaml(shared(generation))]
  return {
    provider: 'file',
    holds: async () => {
      const names = await readdir(folder.path).catch(() => [])
      return names.some((name) => /^[A-Za-z0-9_-]+\.yaml$/.test(name))
    },
    open: (documents, generation) => {
      const { files } = filesOf(documents)
      return ordered(() => folder.open(new Map([...files, sharedAt(generation)])))
    },
    change: async (write, gone) => {
      const { files, refused } = filesOf(write)
      await ordered(() => folder.change(files, gone.map(fileOf)))
      return refused
    },
    offer: (generation) =>
      ordered(async () => {
        await folder.change(new Map([sharedAt(generation)]))
        hangUp()
      }),
    close: () => folder.close(),
  }
}

const fileOf = (name: string): string => `${name}.yaml`

const filesOf = (documents: Documents) => {
  const files = new Map<string, string>()
  const refused = new Map<string, Error>()
  for (const [name, text] of documents) {
    try {
      files.set(fileOf(name), yaml(JSON.parse(text)))
    } catch (error) {
      refused.set(name, error instanceof Error ? error : new Error(String(error)))
    }
  }
  return { files, refused: refused satisfies Refused }
}
