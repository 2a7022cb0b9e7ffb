import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, statSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Root, tempRoot } from '../kit/root.ts'

export const tree = fileURLToPath(new URL('../..', import.meta.url))

/** What a clone would hold, with changes that are not committed yet. `installed`: with the packages of this tree. */
export const freshCopy = ({ installed }: { installed: boolean }): Root => {
  const copy = tempRoot('clone')
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: tree,
    encoding: 'utf8',
  })
  for (const name of listed.split('\0')) {
    if (!name || !statSync(join(tree, name), { throwIfNoEntry: false })?.isFile()) continue
    mkdirSync(dirname(join(copy.path, name)), { recursive: true })
    copyFileSync(join(tree, name), join(copy.path, name))
  }
  if (installed) symlinkSync(join(tree, 'node_modules'), join(copy.path, 'node_modules'))
  return copy
}

const withoutPackages = (path = ''): string =>
  path
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules') && !folder.includes('node-gyp-bin'))
    .join(delimiter)

/** As a person's shell has it: nothing of what npm adds for the script that runs the tests. */
export const shell: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries(process.env)
    .filter(([name]) => !/^(npm_|GATEWAY_|NODE_|VITEST|INIT_CWD|NO_COLOR|FORCE_COLOR)/.test(name))
    .map(([name, value]) => [name, name === 'PATH' ? withoutPackages(value) : value]),
)
