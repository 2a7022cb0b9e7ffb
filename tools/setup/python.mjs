// Schemathesis, which tests an HTTP API by its OpenAPI description: wheels from PyPI, in a virtual environment in the cache.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cache, makeCache, platform } from './cache.mjs'
import { find, isExecutable } from './find.mjs'
import { withLock } from './lock.mjs'
import { run } from './run.mjs'

const requirements = fileURLToPath(new URL('../schemathesis/requirements.txt', import.meta.url))

/** The path of a Python, 3.10 or newer, that can make virtual environments, or undefined: Debian has that part in a package of its own. */
export const pythonPath = () =>
  [find('python3'), '/usr/bin/python3'].find(
    (python) => python && spawnSync(python, ['-c', able], { stdio: 'ignore' }).status === 0,
  )
const able = 'import ensurepip, sys; sys.exit(sys.version_info < (3, 10))'

export async function ensureSchemathesis(use) {
  const pins = readFileSync(requirements, 'utf8')
  const version = /^schemathesis==(\S+)$/m.exec(pins)[1]
  // What pip installs holds its own path, so it is made where it stays, and counts once it is whole.
  const folder = join(cache, `schemathesis-${version}-${platform}`)
  const whole = join(folder, 'whole')
  const isThere = () => isExecutable(join(folder, 'bin', 'python')) && pins === readText(whole)
  if (isThere()) return
  const python = pythonPath()
  if (!python) throw new Error(`\`npm run ${use}\` needs Python 3.10 or newer with its venv: install python3 and python3-venv`)
  makeCache()
  await withLock(`${folder}.lock`, async () => {
    if (isThere()) return
    console.error(`Installing schemathesis ${version} into ${cache} ...`)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    await run(python, ['-m', 'venv', folder])
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:']
    await run(join(folder, 'bin', 'python'), [...pip, '-r', requirements])
    writeFileSync(whole, pins)
  })
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
