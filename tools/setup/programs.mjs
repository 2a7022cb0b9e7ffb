// The programs that tests and benchmarks run for real, from Debian, the Go module proxy and PyPI. What is there already is left alone.
import { spawnSync } from 'node:child_process'
import { find } from './find.mjs'
import { goPath } from './go.mjs'
import { ensureH2spec, ensurePebble } from './installed.mjs'
import { ensureSchemathesis, pythonPath } from './python.mjs'
import { run } from './run.mjs'
import { ensureTraefik, ensureTraefik2 } from './traefik.mjs'

/** For each use: the command to the Debian package, or packages, that it takes. */
const uses = {
  test: {
    curl: 'curl',
    h2load: 'nghttp2-client',
    openssl: 'openssl',
    'redis-server': 'redis-server',
    chromium: 'chromium',
    dnsmasq: 'dnsmasq-base',
    dig: 'bind9-dnsutils',
    knotd: 'knot',
    named: 'bind9',
    pdns_server: ['pdns-server', 'pdns-backend-sqlite3'],
    sqlite3: 'sqlite3',
    ip: 'iproute2',
    cc: ['gcc', 'libc6-dev'],
    patchelf: 'patchelf',
    python3: ['python3', 'python3-venv'],
  },
  bundle: { patchelf: 'patchelf' },
  moving: {},
  bench: { 'redis-server': 'redis-server', wrk: 'wrk' },
}
/** What Debian lacks or has too old, built into a cache outside of the tree. */
const built = {
  test: [ensureTraefik, ensurePebble, ensureH2spec, ensureSchemathesis],
  bundle: [ensureTraefik],
  moving: [ensureTraefik2],
  bench: [ensureTraefik],
}

export async function ensurePrograms(use) {
  const missing = Object.entries(uses[use]).filter(([command]) => !isThere(command))
  if (missing.length > 0) await installPackages(use, missing)
  goPath(use)
  for (const ensure of built[use]) await ensure(use)
}

const isThere = (command) => (command === 'python3' ? pythonPath() : find(command)) !== undefined

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
# Tests start name servers of their own: the packaged ones are not to take port 53 when the machine starts again.
for daemon in knot:knot bind9:named pdns-server:pdns; do
  case " $* " in *" \${daemon%:*} "*) systemctl disable -q "\${daemon#*:}" 2>/dev/null || update-rc.d "\${daemon#*:}" disable 2>/dev/null || : ;; esac
done
`

async function installPackages(use, missing) {
  const commands = missing.map(([command]) => command).join(', ')
  const packages = missing.flatMap(([, names]) => names)
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
