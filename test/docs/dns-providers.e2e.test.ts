import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'
import * as plugins from '../../plugins/index.ts'

const page = readFileSync(new URL('../../docs/dns-providers.md', import.meta.url), 'utf8')
const tree = fileURLToPath(new URL('../..', import.meta.url))

test.each([
  ['dns-providers.md', 10],
  ['certificates.md', 2],
])('every snippet of docs/%s compiles against the package', (name, least) => {
  const text = readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
  const snippets = new Map(
    [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, text = ''], at) => [`${tree}docs/snippet-${at}.ts`, text]),
  )
  expect(snippets.size).toBeGreaterThanOrEqual(least)
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(`${tree}tsconfig.json`, ts.sys.readFile).config,
    ts.sys,
    tree,
  )
  const host = ts.createCompilerHost(options)
  const { readFile, fileExists, getSourceFile } = host
  host.fileExists = (name) => snippets.has(name) || fileExists(name)
  host.readFile = (name) => snippets.get(name) ?? readFile(name)
  host.getSourceFile = (name, ...rest) => {
    const text = snippets.get(name)
    return text === undefined ? getSourceFile(name, ...rest) : ts.createSourceFile(name, text, ts.ScriptTarget.ESNext)
  }
  const program = ts.createProgram([...snippets.keys()], options, host)
  const wrong = [...snippets.keys()].flatMap((name) => {
    const source = program.getSourceFile(name)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
  })
  expect(wrong.map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`)).toEqual(
    [],
  )
})

test('docs/dns-providers.md has every DNS provider that ships', () => {
  const index = readFileSync(new URL('../../plugins/index.ts', import.meta.url), 'utf8')
  const folders = [...index.matchAll(/from '\.\/dns-provider\/([a-z0-9-]+)/g)].map(([, name = '']) =>
    name.replace(/-(.)/g, (_, letter) => letter.toUpperCase()),
  )
  expect(folders.length).toBeGreaterThanOrEqual(8)
  for (const name of folders) {
    expect(Object.keys(plugins)).toContain(name)
    expect(page).toContain(`\n## ${name}\n`)
  }
})
