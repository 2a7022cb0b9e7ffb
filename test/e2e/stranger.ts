import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempRoot } from '../kit/root.ts'
import { freshCopy, shell, tree } from './fresh-copy.ts'

/** A folder outside of the tree with the packed package in its node_modules, as npm would install it, and vitest and the rest beside it. */
export interface Stranger {
  readonly path: string
  /** The command `gateway` of the packed package. */
  readonly command: string
  /** Runs a program of node_modules, or `node` itself, in a folder here. */
  run(
    folder: string,
    program: 'node' | 'tsc' | 'vitest',
    ...args: string[]
  ): { status: number | null; stdout: string; stderr: string }
  remove(): Promise<void>
}

export const stranger = async (): Promise<Stranger> => {
  const [copy, home] = [freshCopy({ installed: true }), tempRoot('stranger')]
  const packed = execFileSync('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', home.path], {
    cwd: copy.path,
    encoding: 'utf8',
  })
  const modules = join(home.path, 'node_modules')
  const installed = join(modules, 'zos-gateway')
  mkdirSync(installed, { recursive: true })
  const tarball = join(home.path, /zos-gateway-[\d.]+\.tgz/.exec(packed)?.[0] ?? '')
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])
  for (const name of readdirSync(join(tree, 'node_modules')))
    if (!name.startsWith('.')) symlinkSync(join(tree, 'node_modules', name), join(modules, name))
  writeFileSync(join(home.path, 'package.json'), '{ "name": "stranger", "type": "module" }')
  await copy.remove()
  const programs = {
    node: [],
    tsc: [join(tree, 'node_modules/typescript/bin/tsc')],
    vitest: [join(tree, 'node_modules/vitest/vitest.mjs')],
  }
  return {
    path: home.path,
    command: join(installed, 'bin/gateway.js'),
    run: (folder, program, ...args) =>
      spawnSync(process.execPath, [...programs[program], ...args], {
        cwd: folder,
        env: shell,
        encoding: 'utf8',
        timeout: 200_000,
      }),
    remove: () => home.remove(),
  }
}

/** How many tests passed and failed, of vitest's JSON reporter. */
export const tally = (stdout: string): { readonly passed: number; readonly failed: number } => {
  const { numPassedTests, numFailedTests } = JSON.parse(stdout.slice(stdout.indexOf('{')))
  return { passed: numPassedTests, failed: numFailedTests }
}
