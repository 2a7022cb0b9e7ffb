// Programs that tests run, straight from the Go module proxy: Pebble, the test CA of Let's Encrypt, with its stand-in for the DNS; and h2spec.
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cache, makeCache, platform } from './cache.mjs'
import { isExecutable } from './find.mjs'
import { goEnv, goPath } from './go.mjs'
import { withLock } from './lock.mjs'
import { run } from './run.mjs'

const modules = {
  pebble: {
    version: 'v2.10.1',
    from: 'github.com/letsencrypt/pebble/v2/cmd',
    programs: ['pebble', 'pebble-challtestsrv'],
  },
  h2spec: { version: 'v2.2.1', from: 'github.com/summerwind/h2spec/cmd', programs: ['h2spec'], suffix: '+incompatible' },
}

export const ensurePebble = (use) => ensureInstalled(use, 'pebble')
export const ensureH2spec = (use) => ensureInstalled(use, 'h2spec')

async function ensureInstalled(use, name) {
  const { version, from, programs, suffix = '' } = modules[name]
  const folder = join(cache, `${name}-${version}-${platform}`)
  const isThere = () => programs.every((program) => isExecutable(join(folder, program)))
  if (isThere()) return
  const go = goPath(use)
  makeCache()
  await withLock(`${folder}.lock`, async () => {
    if (isThere()) return
    console.error(`Building ${name} ${version} into ${cache} ...`)
    const fresh = mkdtempSync(`${folder}.build-`)
    try {
      const named = programs.map((program) => `${from}/${program}@${version}${suffix}`)
      await run(go, ['install', '-trimpath', ...named], { env: { ...goEnv(), GOBIN: fresh } })
      rmSync(folder, { recursive: true, force: true })
      renameSync(fresh, folder)
    } finally {
      rmSync(fresh, { recursive: true, force: true })
    }
  })
}
