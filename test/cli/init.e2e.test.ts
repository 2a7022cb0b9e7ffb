import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { init } from '../../cli/init.ts'
import { tempRoot } from '../kit/root.ts'
import { gatewayProcess } from './gateway-process.ts'

const shipped = readFileSync(new URL('../../gateway.config.ts', import.meta.url), 'utf8')

test.for([
  ['{ "type": "module" }', 'gateway.config.ts'],
  ['{}', 'gateway.config.mts'],
  [undefined, 'gateway.config.mts'],
])('init writes the shipped config, named as the package %s needs it', async ([pkg, name]) => {
  const folder = tempRoot('init')
  if (pkg) writeFileSync(join(folder.path, 'package.json'), pkg)
  expect(init(folder.path)).toBe(join(folder.path, name ?? ''))
  expect(readFileSync(join(folder.path, name ?? ''), 'utf8')).toBe(shipped)
  await folder.remove()
})

test('init writes the config of a Zero-OS node where that preset is named', async () => {
  const folder = tempRoot('init')
  await using gateway = gatewayProcess(['init', '--preset', 'zos', '--json'], { cwd: folder.path })
  expect(await gateway.ended).toBe(0)
  const { file } = JSON.parse(gateway.stdout)
  expect(readFileSync(file, 'utf8')).toBe(readFileSync(new URL('../../etc/zos/gateway.config.ts', import.meta.url), 'utf8'))
  await folder.remove()
})

test('init makes the folder that it is to write to', async () => {
  const folder = tempRoot('init')
  await using gateway = gatewayProcess(['init', 'etc/zos-gateway', '--json'], { cwd: folder.path })
  expect(await gateway.ended).toBe(0)
  expect(readFileSync(join(folder.path, 'etc/zos-gateway/gateway.config.mts'), 'utf8')).toBe(shipped)
  await folder.remove()
})

test('init leaves a config alone that is there already', async () => {
  const folder = tempRoot('init')
  writeFileSync(join(folder.path, 'gateway.config.js'), 'mine')
  await using gateway = gatewayProcess(['init'], { cwd: folder.path })
  expect(await gateway.ended).toBe(2)
  expect(gateway.stderr).toContain('gateway.config.js is there already')
  expect(readFileSync(join(folder.path, 'gateway.config.js'), 'utf8')).toBe('mine')
  await folder.remove()
})
