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
  const folder = mkdtempSync(join(cache(), 'package-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  // The tree's own dist may be in use.
  const compiler = [join(tree, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist')]
  await run(process.execPath, compiler, { cwd: tree })
  for (const name of ['bin', 'package.json']) cpSync(join(tree, name), join(folder, name), { recursive: true })
  symlinkSync(join(tree, 'node_modules'), join(folder, 'node_modules'))
  return folder
}
