import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { tempRoot } from '../kit/root.ts'
import { freshCopy, shell, tree } from './fresh-copy.ts'

const suite = `
import { embedded } from 'zos-gateway/plugins'
import { describeEngine } from 'zos-gateway/test-kit'

describeEngine('engine/stranger', {
  engine: ({ http, https, drain, limits }) =>
    embedded({ http: { port: http }, https: { port: https }, drain, ...(limits && { limits }) }),
  cannot: { 'refuses TLS 1.2 where 1.3 is the lowest': 'the option is not handed on here' },
})
`

/** A package of somebody else's, with the tarball installed as npm would and vitest beside it. */
const stranger = (): string => {
  const [copy, home] = [freshCopy({ installed: true }), tempRoot('stranger')]
  onTestFinished(async () => {
    await Promise.all([copy.remove(), home.remove()])
  })
  const packed = execFileSync('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', home.path], {
    cwd: copy.path,
    encoding: 'utf8',
  })
  const modules = join(home.path, 'node_modules')
  mkdirSync(join(modules, 'zos-gateway'), { recursive: true })
  const tarball = join(home.path, /zos-gateway-[\d.]+\.tgz/.exec(packed)?.[0] ?? '')
  execFileSync('tar', ['-xzf', tarball, '-C', join(modules, 'zos-gateway'), '--strip-components=1'])
  for (const name of readdirSync(join(tree, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(tree, 'node_modules', name), join(modules, name))
  }
  writeFileSync(join(home.path, 'package.json'), '{ "name": "engine-stranger", "type": "module" }')
  writeFileSync(join(home.path, 'engine.test.ts'), suite)
  return home.path
}

test('a package of somebody else proves its engine with the packed test kit', () => {
  const vitest = join(tree, 'node_modules/vitest/vitest.mjs')
  const names = 'engine/stranger (answers|tls|drain)'
  const { stdout, status } = spawnSync(process.execPath, [vitest, 'run', '--reporter=json', '-t', names], {
    cwd: stranger(),
    env: shell,
    encoding: 'utf8',
    timeout: 200_000,
  })
  const { numPassedTests, numFailedTests } = JSON.parse(stdout.slice(stdout.indexOf('{')))
  expect({ numFailedTests, status }).toEqual({ numFailedTests: 0, status: 0 })
  expect(numPassedTests).toBeGreaterThan(25)
})
