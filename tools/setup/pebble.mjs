// Pebble, the test CA of Let's Encrypt, and its stand-in for the DNS, from the Go module proxy.
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cache, makeCache, platform } from './cache.mjs'
import { isExecutable } from './find.mjs'
import { goEnv, goPath } from './go.mjs'
import { withLock } from './lock.mjs'
import { run } from './run.mjs'

const version = 'v2.10.1'
const programs = ['pebble', 'pebble-challtestsrv']

export async function ensurePebble(use) {
  const folder = join(cache, `pebble-${version}-${platform}`)
  const isThere = () => programs.every((name) => isExecutable(join(folder, name)))
  if (isThere()) return
  const go = goPath(use)
  makeCache()
  await withLock(`${folder}.lock`, async () => {
    if (isThere()) return
    console.error(`Building Pebble ${version} into ${cache} ...`)
    const fresh = mkdtempSync(`${folder}.build-`)
    try {
      const named = programs.map((name) => `github.com/letsencrypt/pebble/v2/cmd/${name}@${version}`)
      await run(go, ['install', '-trimpath', ...named], { env: { ...goEnv(), GOBIN: fresh } })
      rmSync(folder, { recursive: true, force: true })
      renameSync(fresh, folder)
    } finally {
      rmSync(fresh, { recursive: true, force: true })
    }
  })
}
