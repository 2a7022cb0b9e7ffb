import { version } from '../core/version.ts'

/** What a package has beside its sources: file names with their text. `gateway`: where npm gets the gateway from, as npm writes it. */
export const papersOf = (kind: string, name: string, gateway: string): Readonly<Record<string, string>> => ({
  'package.json': `${JSON.stringify(manifest(name, gateway), null, 2)}\n`,
  'tsconfig.json': `${JSON.stringify({ compilerOptions, include: ['src', 'test'] }, null, 2)}\n`,
  'tsconfig.build.json': `${JSON.stringify(build, null, 2)}\n`,
  'README.md': readme(kind, name),
  '.gitignore': 'node_modules\ndist\n',
})

const manifest = (name: string, gateway: string) => ({
  name: `zos-gateway-${name}`,
  version: '0.1.0',
  type: 'module',
  engines: { node: '>=22.18.0' },
  // Node strips no types below node_modules: what is published is JavaScript.
  files: ['dist'],
  exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
  scripts: { test: 'tsc -p . && vitest run', build: 'tsc -p tsconfig.build.json', prepack: 'npm run build' },
  peerDependencies: { 'zos-gateway': `^${version}` },
  // With a Node of its own, its scripts run whatever the system has.
  devDependencies: { '@types/node': '^24.0.0', node: '^24.0.0', typescript: '^6.0.0', vitest: '^4.0.0', 'zos-gateway': gateway },
  allowScripts: { 'classic-level': true, node: true },
})

const compilerOptions = {
  target: 'esnext',
  module: 'nodenext',
  lib: ['esnext'],
  types: ['node'],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
  rewriteRelativeImportExtensions: true,
  skipLibCheck: true,
  noEmit: true,
}
const build = {
  extends: './tsconfig.json',
  compilerOptions: { noEmit: false, declaration: true, outDir: 'dist', rootDir: 'src' },
  include: ['src'],
}

const readme = (kind: string, name: string): string => `# zos-gateway-${name}

A plugin of kind \`${kind}\` for zos-gateway.

    npm install && npm test     types, and the tests in test/
    npm run build               JavaScript into dist/, which is what npm publishes

The gateway's docs/writing-a-plugin.md explains the contract.
`
