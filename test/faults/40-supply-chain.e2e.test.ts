import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import { checkVersion, warnings } from '../../plugins/engine/traefik/version.ts'
import { tempRoot } from '../kit/index.ts'
import { traefikPath } from '../kit/programs.ts'
import { fault } from './fault.ts'

const execute = promisify(execFile)
const read = (name: string) => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'))

interface Locked {
  readonly version: string
  readonly integrity?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly hasInstallScript?: boolean
}
const packages = Object.entries<Locked>(read('package-lock.json').packages).filter(([path]) => path !== '')

fault(40, 'every package of the lock file has its SHA-512, and is named by the registry alone', async () => {
  expect(packages.length).toBeGreaterThan(100)
  expect(packages.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''))).toEqual([])
  expect(packages.filter(([, { resolved, link }]) => resolved !== undefined || link)).toEqual([])
})

fault(40, 'a package whose content is not that of the lock file is not installed', async () => {
  const folder = tempRoot('tampered')
  onTestFinished(folder.remove)
  const name = 'citty'
  const [, { version, integrity = '' }] = packages.find(([path]) => path === `node_modules/${name}`) ?? ['', { version: '' }]
  const dependencies = { [name]: version }
  const install = async (sum: string) => {
    writeFileSync(join(folder.path, 'package.json'), JSON.stringify({ name: 'tampered', version: '1.0.0', dependencies }))
    const lock = {
      name: 'tampered',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages: {
        '': { name: 'tampered', version: '1.0.0', dependencies },
        [`node_modules/${name}`]: { version, integrity: sum },
      },
    }
    writeFileSync(join(folder.path, 'package-lock.json'), JSON.stringify(lock))
    // A cache of its own: what npm had before is not what is asked for now.
    const words = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--cache', join(folder.path, 'cache')]
    return execute('npm', words, { cwd: folder.path, timeout: 240_000 })
  }
  await install(integrity)
  await expect(install(`sha512-${Buffer.alloc(64, 7).toString('base64')}`)).rejects.toMatchObject({
    stderr: expect.stringContaining('EINTEGRITY'),
  })
})

fault(40, 'install scripts run for two named packages and no other, and a release is published with its provenance', async () => {
  const { allowScripts, publishConfig, scripts } = read('package.json')
  expect(allowScripts).toEqual({ 'classic-level': true, node: true })
  expect(publishConfig).toMatchObject({ provenance: true })
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) expect(scripts).not.toHaveProperty(name)
  // Who has one and is not named: its script never ran.
  const others = packages.filter(([path, { hasInstallScript }]) => hasInstallScript && !(path.slice(13) in allowScripts))
  expect(others.map(([path]) => path)).toEqual(['node_modules/@scarf/scarf'])
})

fault(
  40,
  'the Traefik that is started is named with its version, and an old one is warned about with the name of its hole',
  async () => {
    const version = await checkVersion(traefikPath())
    expect(version[0]).toBe(3)
    expect(warnings(version)).toEqual([])
    const folder = tempRoot('old-traefik')
    onTestFinished(folder.remove)
    const old = join(folder.path, 'traefik')
    writeFileSync(old, '#!/bin/sh\necho "Version:      3.1.2"\n', { mode: 0o755 })
    expect(warnings(await checkVersion(old))).toEqual([
      expect.stringMatching(/^Traefik 3\.1\.2 has CVE-2024-45410 .*update to 3\.1\.3 or newer/),
      expect.stringContaining('CVE-2025-66490'),
      expect.stringContaining('GHSA-89p3-4642-cr2w'),
    ])
    writeFileSync(old, '#!/bin/sh\necho "Version:      2.11.0"\n', { mode: 0o755 })
    await expect(checkVersion(old)).rejects.toMatchObject({ code: 'PROCESS_FAILED', message: expect.stringContaining('too old') })
  },
)
