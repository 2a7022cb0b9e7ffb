// Makes one directory that runs on a Linux machine with nothing installed but its C library: `node tools/bundle.mjs [folder]`.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { goEnv, goPath } from './setup/go.mjs'
import { ensurePrograms } from './setup/programs.mjs'
import { run } from './setup/run.mjs'
import { traefikFor } from './setup/traefik.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const platform = `${process.platform}-${process.arch}`
const out = resolve(process.argv[2] ?? join(root, 'bundle', `${name}-${version}-${platform}`))
const fresh = `${out}.fresh`

try {
  if (process.platform !== 'linux') throw new Error(`a bundle is made on Linux, for Linux; this is ${platform}`)
  await ensurePrograms('bundle')
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(join(fresh, 'bin'), { recursive: true })
  await addPackage()
  addNode()
  const traefik = traefikFor()
  put(traefik, 'bin/traefik')
  await addLaunchers()
  writeManifest(traefik)
  rmSync(out, { recursive: true, force: true })
  renameSync(fresh, out)
  console.log(out)
} catch (error) {
  rmSync(fresh, { recursive: true, force: true })
  console.error(`no bundle: ${error.message}`)
  process.exitCode = 1
}

/** What `npm pack` ships, and of what it needs the versions of the lockfile, without what is for other platforms. */
async function addPackage() {
  const work = mkdtempSync(join(tmpdir(), 'bundle-'))
  try {
    await run('npm', ['pack', '--silent', '--pack-destination', work], { cwd: root })
    const target = join(fresh, 'lib', name)
    mkdirSync(target, { recursive: true })
    execFileSync('tar', ['-xzf', join(work, `${name}-${version}.tgz`), '--strip-components=1', '-C', target])
    copyFileSync(join(root, 'package-lock.json'), join(target, 'package-lock.json'))
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline']
    await run('npm', ['ci', '--omit=dev', '--omit=peer', ...quiet], { cwd: target })
    rmSync(join(target, 'package-lock.json'))
    rmSync(join(target, 'node_modules', '.bin'), { recursive: true, force: true })
    keepOwnPlatform(join(target, 'node_modules'))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function keepOwnPlatform(modules) {
  for (const path of readdirSync(modules, { recursive: true, encoding: 'utf8' })) {
    const match = /(?:^|\/)prebuilds\/([^/]+)$/.exec(path)
    if (match && match[1] !== platform) rmSync(join(modules, path), { recursive: true })
  }
}

/** The package `node` has the binary; what it needs beside the C library goes along, and is looked for beside it. */
function addNode() {
  const target = put(realpathSync(join(root, 'node_modules', 'node', 'bin', 'node')), 'bin/node')
  for (const line of execFileSync('ldd', [target], { encoding: 'utf8' }).split('\n')) {
    const [, wanted, found] = /^\s*(\S+) => (\/\S+)/.exec(line) ?? []
    if (wanted && /^lib(?:stdc\+\+|gcc_s)\.so/.test(wanted)) put(realpathSync(found), `lib/${wanted}`)
  }
  execFileSync('patchelf', ['--set-rpath', '$ORIGIN/../lib', target])
}

async function addLaunchers() {
  const launcher = join(fresh, 'bin', 'gateway')
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', launcher, '.']
  await run(goPath('bundle'), ['build', ...flags], { cwd: join(root, 'tools', 'launcher'), env: goEnv() })
  put(launcher, 'bin/gateway-dns-hook')
}

function put(from, to) {
  const target = join(fresh, to)
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(from, target)
  chmodSync(target, 0o755)
  return target
}

/** Versions, and the SHA-256 of each file. */
function writeManifest(traefik) {
  const said = (file, ...args) => execFileSync(file, args, { encoding: 'utf8' })
  const files = {}
  for (const path of readdirSync(fresh, { recursive: true, encoding: 'utf8' }).sort()) {
    const stats = lstatSync(join(fresh, path))
    if (stats.isSymbolicLink()) throw new Error(`${path} is a link to ${readlinkSync(join(fresh, path))}`)
    if (stats.isFile())
      files[path] = createHash('sha256')
        .update(readFileSync(join(fresh, path)))
        .digest('hex')
  }
  const manifest = {
    name,
    version,
    platform,
    node: said(join(fresh, 'bin/node'), '--version').trim().slice(1),
    traefik: /^Version:\s+v?(\S+)/m.exec(said(traefik, 'version'))?.[1],
    files,
  }
  writeFileSync(join(fresh, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}
