import { expect, test } from 'vitest'
import { createGateway, parseOperation } from 'zos-gateway'
import { memory, nameProxy, staticNode } from 'zos-gateway/plugins'
import { tempRoot } from 'zos-gateway/test-kit'
import { samplePolicy } from '../src/index.ts'

/** What a gateway with this policy and little else says to a name, without doing anything. */
const problemsOf = async (name: string) => {
  const root = tempRoot()
  const plugins = [memory(), staticNode({ domain: 'gw.example.org' }), nameProxy(), samplePolicy({ names: ['www'] })]
  const gateway = await createGateway({ plugins }, { root: root.path })
  try {
    const op = parseOperation({ do: 'set-name', id: '1-1-a', name, backends: ['http://192.0.2.7:80'], passthrough: false })
    if (op.do !== 'set-name') throw new Error('another operation')
    return (await gateway.plan(op)).problems.map(({ code }) => code)
  } finally {
    await gateway.close()
    await root.remove()
  }
}

test('refuses a name on the list, in any case', async () => {
  expect(await problemsOf('www')).toContain('FORBIDDEN')
  expect(await problemsOf('WWW')).toContain('FORBIDDEN')
})
test('has nothing against another name', async () => expect(await problemsOf('shop')).not.toContain('FORBIDDEN'))
test('refuses an empty list where it is written', () =>
  expect(() => samplePolicy({ names: [] })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' })))
