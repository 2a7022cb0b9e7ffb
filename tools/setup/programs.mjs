// The programs that tests and benchmarks run for real, from Debian. What is there already is left alone.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './run.mjs'

/** For each use: the command to the Debian package that has it. */
const uses = {
  test: { curl: 'curl', openssl: 'openssl', 'redis-server': 'redis-server', chromium: 'chromium' },
  bench: { 'redis-server': 'redis-server', wrk: 'wrk' },
}
const oldestGo = [1, 25]

export async function ensurePrograms(use) {
  const missing = Object.entries(uses[use]).filter(([command]) => !find(command))
  if (missing.length > 0) await installPackages(use, missing)
  checkGo(use)
}

/** Under a policy-rc.d that starts no daemon, put there for this one installation unless the machine has its own. */
const script = `
set -e
policy=/usr/sbin/policy-rc.d
trap 'exit 1' HUP INT TERM
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > $policy
  chmod 755 $policy
fi
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
install() { apt-get -o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends "$@" >/dev/null; }
install "$@" || { apt-get update -qq; install "$@"; }
`

async function installPackages(use, missing) {
  const commands = missing.map(([command]) => command).join(', ')
  const packages = missing.map(([, name]) => name)
  const byHand = `sudo apt-get install --no-install-recommends ${packages.join(' ')}`
  if (!find('apt-get')) throw new Error(`\`npm run ${use}\` needs ${commands}: install them and run again`)
  const isRoot = process.getuid?.() === 0
  if (!isRoot && spawnSync('sudo', ['-n', 'true']).status !== 0)
    throw new Error(`\`npm run ${use}\` needs ${commands}; run \`${byHand}\``)
  console.error(`Installing: ${packages.join(' ')} ...`)
  const [command, ...sudo] = isRoot ? ['sh'] : ['sudo', '-n', 'sh']
  await run(command, [...sudo, '-c', script, 'sh', ...packages]).catch((error) => {
    throw new Error(`${error.message.split('\n')[0]}; try \`${byHand}\``)
  })
}

function checkGo(use) {
  const go = find('go') ?? find('go', '/usr/local/go/bin')
  const advice = 'install it from https://go.dev/dl/ (the package of Debian 12 is too old) and put its bin folder into PATH'
  if (!go) throw new Error(`\`npm run ${use}\` needs Go ${oldestGo.join('.')} or newer: ${advice}`)
  const told = spawnSync(go, ['env', 'GOVERSION'], {
    encoding: 'utf8',
    env: { ...process.env, GOTOOLCHAIN: 'local' },
  }).stdout.trim()
  const [major = 0, minor = 0] = told
    .replace(/^go/, '')
    .split('.')
    .map((part) => Number.parseInt(part, 10))
  if (major < oldestGo[0] || (major === oldestGo[0] && minor < oldestGo[1])) {
    throw new Error(`\`npm run ${use}\` needs Go ${oldestGo.join('.')} or newer, and ${go} is ${told || 'unreadable'}: ${advice}`)
  }
}

function find(command, path = process.env.PATH ?? '') {
  return path
    .split(delimiter)
    .map((folder) => join(folder, command))
    .find(isExecutable)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
