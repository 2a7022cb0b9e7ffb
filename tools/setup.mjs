// Makes a fresh clone ready: `node tools/setup.mjs [--test] [--moving] [--bench]`. Plain JavaScript for whatever Node the machine has, 18 or newer.
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './setup/lock.mjs'
import { run } from './setup/run.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const modules = join(root, 'node_modules')
const stamp = join(modules, '.setup-stamp')

try {
  if (!isCurrent()) await withLock(join(root, '.setup.lock'), install)
  for (const use of ['test', 'moving', 'bench']) {
    if (process.argv.includes(`--${use}`)) await (await import('./setup/programs.mjs')).ensurePrograms(use)
  }
} catch (error) {
  console.error(`set-up failed: ${error.message}`)
  process.exitCode = 1
}

/** Packages are installed only where the lockfile changed: `npm ci` would take node_modules from under a running gateway. */
async function install() {
  if (isCurrent()) return
  console.error('Installing packages from package-lock.json (the first time takes a minute) ...')
  await run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root })
  await run(join(modules, '.bin', 'node'), ['--version'], { cwd: root, stdio: 'ignore' }).catch(() => {
    throw new Error("the package `node` brought no Node 24: allow its install script (npm's `allowScripts`) and run again")
  })
  writeFileSync(stamp, wanted())
  console.error('Packages are in place.')
}

function isCurrent() {
  return isLinked() || (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted())
}

/** A linked node_modules is shared with another tree, which sets it up. */
function isLinked() {
  return lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

function wanted() {
  const lockfile = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  return `${lockfile} ${process.platform} ${process.arch}\n`
}
