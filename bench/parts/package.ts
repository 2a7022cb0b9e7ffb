import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { cache, tree } from './places.ts'
import { run } from './process.ts'

let made: Promise<string> | undefined

/** The folder of the package as users get it: the built JavaScript, not the tree's TypeScript. Built once a run. */
export const builtPackage = (say: (line: string) => void): Promise<string> => {
  made ??= build(say)
  return made
}

const build = async (say: (line: string) => void): Promise<string> => {
  say('building the package')
  await run(process.execPath, [join(tree, 'tools/build.mjs')], { cwd: tree })
  const folder = mkdtempSync(join(cache(), 'package-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['bin', 'dist', 'package.json']) cpSync(join(tree, name), join(folder, name), { recursive: true })
  symlinkSync(join(tree, 'node_modules'), join(folder, 'node_modules'))
  return folder
}
