import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { verbs } from '../../cli/verbs.ts'
import { errorCodes } from '../../core/errors.ts'
import { ask, startApi } from '../plugins/transport/http-api/parts.ts'

const page = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')

test('docs/cli.md has every command with its flags, and every exit code', async () => {
  const text = page('cli.md')
  for (const [name, { load }] of Object.entries(verbs)) {
    const row = text.split('\n').find((line) => line.startsWith(name === 'run' ? '| `gateway [run]`' : `| \`gateway ${name}`))
    expect([name, row]).toEqual([name, expect.any(String)])
    for (const [flag, { type }] of Object.entries((await load()).default.args))
      if (type !== 'positional' && !['json', 'root', 'socket', 'url', 'token', 'verbose'].includes(flag))
        expect([name, row]).toEqual([name, expect.stringMatching(flag === 'follow' ? '-f' : `--${flag}`)])
  }
  for (const { exit } of Object.values(errorCodes)) expect(text).toMatch(new RegExp(`^\\| ${exit} \\|`, 'm'))
})

test('docs/http-api.md has every route', async () => {
  const text = page('http-api.md')
  const api = await startApi()
  const { json } = await ask(api.gateway, '/openapi.json')
  for (const [path, methods] of Object.entries<object>(json.paths))
    for (const method of Object.keys(methods)) expect(text).toContain(`\`${method.toUpperCase()} ${path}\``)
  await api.close()
})
