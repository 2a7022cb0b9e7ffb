// Traefik for the tests: the one in PATH where it is new enough, else built from the Go module proxy.
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { builtPath, cache, makeCache, moduleOf } from './cache.mjs'
import { find, isExecutable } from './find.mjs'
import { goEnv, goPath } from './go.mjs'
import { withLock } from './lock.mjs'

/** What nodes have, for `npm run moving`. */
const nodes = { module: 'traefik2', program: 'github.com/traefik/traefik/v2' }
const ours = { module: 'traefik', program: 'github.com/traefik/traefik/v3' }

export async function ensureTraefik(use) {
  if (!isNewEnough(find('traefik'), wantedVersion(ours))) await ensureBuilt(use, ours)
}

export const ensureTraefik2 = (use) => ensureBuilt(use, nodes)

async function ensureBuilt(use, which) {
  const version = wantedVersion(which)
  const path = builtPath(which.module, version)
  if (isExecutable(path)) return
  const go = goPath(use)
  makeCache()
  await withLock(`${path}.lock`, async () => {
    if (!isExecutable(path)) await build(go, path, version, which)
  })
}

/** The Traefik that `ensureTraefik` saw to. */
export function traefikFor() {
  const path = builtPath('traefik', wantedVersion(ours))
  return isExecutable(path) ? path : find('traefik')
}

function wantedVersion({ module, program }) {
  const found = readFileSync(join(moduleOf(module), 'go.mod'), 'utf8').match(/^require .*traefik\/v[23] v(\S+)$/m)
  if (!found) throw new Error(`tools/${module}/go.mod requires no ${program}`)
  return found[1]
}

function isNewEnough(traefik, version) {
  if (!traefik) return false
  const told = spawnSync(traefik, ['version'], { encoding: 'utf8', timeout: 10_000 }).stdout ?? ''
  const [major, ...rest] = (told.match(/^Version:\s+v?(\d+)\.(\d+)\.(\d+)/m) ?? []).slice(1).map(Number)
  const [wantedMajor, ...wanted] = version.split('.').map(Number)
  if (major !== wantedMajor) return false
  return rest[0] !== wanted[0] ? rest[0] > wanted[0] : rest[1] >= wanted[1]
}

/** In a copy of the module files, since Go may rewrite them; renamed into place when it runs. */
async function build(go, path, version, { module, program }) {
  for (const name of readdirSync(cache)) {
    if (name.startsWith(`${basename(path)}.build-`)) rmSync(join(cache, name), { recursive: true, force: true })
  }
  const folder = mkdtempSync(`${path}.build-`)
  try {
    cpSync(moduleOf(module), folder, { recursive: true })
    console.error(`Building Traefik ${version} into ${cache} (the first time takes about 5 minutes) ...`)
    const named = `-s -w -X ${program}/pkg/version.Version=${version}`
    await compile(go, folder, ['-ldflags', named, '-o', join(folder, 'traefik'), `${program}/cmd/traefik`])
    renameSync(join(folder, 'traefik'), path)
    console.error(`Traefik ${version} is in place.`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `-v` names each package as it is compiled: their count, now and then, says that it is alive. */
function compile(go, cwd, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(go, ['build', '-v', '-mod=mod', '-trimpath', ...args], {
      cwd,
      env: goEnv(),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let packages = 0
    let last = ''
    child.stderr.setEncoding('utf8').on('data', (text) => {
      packages += text.split('\n').length - 1
      last = (last + text).slice(-2_000)
    })
    const progress = setInterval(() => console.error(`  ${packages} packages compiled or fetched ...`), 15_000)
    const stop = () => child.kill()
    process.once('exit', stop)
    child.on('error', (error) => end(error))
    child.on('close', (code, signal) =>
      end(code === 0 ? undefined : new Error(`go build ended with ${signal ?? code}:\n${last}`)),
    )
    function end(error) {
      clearInterval(progress)
      process.off('exit', stop)
      error ? reject(new Error(`Traefik cannot be built: ${error.message}`)) : resolve()
    }
  })
}
