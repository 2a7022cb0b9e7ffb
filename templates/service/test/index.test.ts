import { expect, test } from 'vitest'
import { createGateway, definePlugin } from 'zos-gateway'
import { memory } from 'zos-gateway/plugins'
import { tempRoot } from 'zos-gateway/test-kit'
import { Sample, sampleService } from '../src/index.ts'

test('is given to a plugin that needs it', async () => {
  const root = tempRoot()
  let count: number | undefined
  const user = definePlugin({
    name: 'service/user',
    kind: 'service',
    needs: { sample: Sample },
    setup: ({ sample }) => {
      count = sample.count()
      return {}
    },
  })
  const gateway = await createGateway({ plugins: [user, memory(), sampleService({ suffix: '.org' })] }, { root: root.path })
  expect(count).toBe(0)
  await gateway.close()
  await root.remove()
})
test('refuses an empty suffix where it is written', () =>
  expect(() => sampleService({ suffix: '' })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' })))
