import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type Root, tempRoot } from '../kit/root.ts'
import { gatewayProcess } from './gateway-process.ts'

const folders: Root[] = []
const folderWith = (files: Record<string, string>): string => {
  const folder = tempRoot('config')
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder.path, name)), { recursive: true })
    writeFileSync(join(folder.path, name), text)
  }
  return folder.path
}
afterAll(async () => {
  for (const folder of folders) await folder.remove()
})

const plain = `import { defineGateway } from 'zos-gateway'
import { staticNode } from 'zos-gateway/plugins'
export default defineGateway(`

const refused: Record<string, [files: Record<string, string>, stderr: RegExp, args?: string[]]> = {
  'with a syntax error': [
    { 'gateway.config.mts': 'export default {\n  plugins: [ foo( ]\n}\n' },
    /gateway\.config\.mts:2: .*\(mend the syntax\)/,
  ],
  'in JavaScript with a syntax error': [{ 'gateway.config.mjs': '\nexport default { plugins: [ }' }, /gateway\.config\.mjs:2: /],
  'with an enum': [{ 'gateway.config.mts': 'enum A { x }\nexport default {}' }, /:1: .*enum.*types are stripped/],
  'that imports what is not installed': [
    { 'gateway.config.mts': `import '@acme/nope/x'\nexport default {}` },
    /cannot find '@acme\/nope'.*npm install @acme\/nope\)/,
  ],
  'that imports a file that is not there': [
    { 'gateway.config.mts': `import './nope.mts'` },
    /cannot find '.*nope\.mts' \(check the path\)/,
  ],
  'that imports a plugin that does not exist': [
    { 'gateway.config.mts': `import { fqdnProxi } from 'zos-gateway/plugins'\nexport default {}` },
    /gateway\.config\.mts:1: 'zos-gateway\/plugins' has no 'fqdnProxi'/,
  ],
  'that uses a plugin without its import': [
    { 'gateway.config.mts': `${plain}{ plugins: [\n  fqdnProxy(),\n] })` },
    /fqdnProxy is not defined \(import fqdnProxy from 'zos-gateway\/plugins'/,
  ],
  'that throws behind an await': [
    { 'gateway.config.mts': `await Promise.reject(new Error('the vault is sealed'))\nexport default {}` },
    /gateway\.config\.mts:1: loading it failed: the vault is sealed/,
  ],
  'whose function throws': [
    { 'gateway.config.mts': `${plain}async () => {\n  throw new Error('no such tenant')\n})` },
    /gateway\.config\.mts:4: loading it failed: no such tenant/,
  ],
  'without a default export': [
    { 'gateway.config.mts': 'export const config = {}' },
    /has no default export \(export default defineGateway/,
  ],
  'that is no object': [{ 'gateway.config.mts': 'export default 7' }, /the config is number 7, not an object/],
  'with a plugin that was not called': [
    { 'gateway.config.mts': `${plain}{ plugins: [staticNode] })` },
    /plugins\[0\] is a function \(call it: staticNode\(\)\)/,
  ],
  'with an option out of range': [
    { 'gateway.config.mts': `${plain}{\n  plugins: [\n    staticNode({ ipv4: '1.2.3' }),\n  ] })` },
    /gateway\.config\.mts:\d: staticNode: ipv4 '1\.2\.3' is not an IPv4 address/,
  ],
  'of two names': [
    { 'gateway.config.ts': '', 'gateway.config.mjs': '' },
    /there are gateway\.config\.ts and gateway\.config\.mjs \(keep one/,
  ],
  'that is not there': [{}, /the config file .*absent\.ts is not there/, ['--config', 'absent.ts']],
}

test.concurrent.for(Object.entries(refused))('a config %s is refused with a sentence', async ([, [files, stderr, args = []]]) => {
  await using gateway = gatewayProcess(args, { cwd: folderWith(files) })
  expect(await gateway.ended).toBe(78)
  expect(gateway.stderr).toMatch(stderr)
  expect(gateway.stderr).toMatch(/^gateway: CONFIG_INVALID: [^\n]+\n$/)
  expect(gateway.stdout).toBe('')
})

const loaded: Record<string, Record<string, string>> = {
  'in TypeScript': {
    'gateway.config.ts': `import { domain } from './more.ts'\n${plain}{ plugins: [staticNode({ domain })] })`,
    'more.ts': `export const domain: string = 'gw.example.org'`,
  },
  'in JavaScript': { 'gateway.config.js': `${plain}{ plugins: [staticNode({ domain: 'gw.example.org' })] })` },
  'in CommonJS': { 'gateway.config.js': `module.exports = { plugins: [] }` },
}
test.concurrent.for(Object.entries(loaded))(
  'a config %s loads beside "type": "commonjs", which npm init writes',
  async ([, files]) => {
    const cwd = folderWith({ 'package.json': '{ "type": "commonjs" }', ...files })
    await using gateway = gatewayProcess(['--root', join(cwd, 'root')], { cwd })
    await gateway.until('zos-gateway')
  },
)
