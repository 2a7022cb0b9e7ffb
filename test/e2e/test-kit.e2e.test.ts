import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { stranger, tally } from './stranger.ts'

const suite = `
import { embedded } from 'zos-gateway/plugins'
import { describeEngine } from 'zos-gateway/test-kit'

describeEngine('engine/stranger', {
  engine: ({ http, https, drain, limits }) =>
    embedded({ http: { port: http }, https: { port: https }, drain, ...(limits && { limits }) }),
  cannot: { 'refuses TLS 1.2 where 1.3 is the lowest': 'the option is not handed on here' },
})
`

test('a package of somebody else proves its engine with the packed test kit', async () => {
  const at = await stranger()
  onTestFinished(() => at.remove())
  writeFileSync(join(at.path, 'engine.test.ts'), suite)
  const names = 'engine/stranger (answers|tls|drain)'
  const { stdout, status } = at.run(at.path, 'vitest', 'run', '--reporter=json', '-t', names)
  const { passed, failed } = tally(stdout)
  expect({ failed, status }).toEqual({ failed: 0, status: 0 })
  expect(passed).toBeGreaterThan(25)
})
