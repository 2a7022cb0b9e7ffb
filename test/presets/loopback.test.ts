import { expect, test } from 'vitest'
import type { Draft, Hooks, Plugin } from '../../core/index.ts'
import * as presets from '../../presets/index.ts'
import { setUpAlone } from '../kit/index.ts'

const forms: readonly (readonly [string, boolean])[] = [
  ['http://127.0.0.1:9000', false],
  ['https://127.1.2.3:9000', false],
  ['http://[::1]:9000', false],
  ['127.0.0.1:9000', true],
  ['https://[::1]:9000', true],
]

/** Which of the forms the policies of a preset on addresses let pass. */
const passes = async (plugins: readonly Plugin[]): Promise<readonly string[]> => {
  const policy = plugins.find(({ name }) => name === 'policy/backends')
  if (!policy) return forms.map(([backend]) => backend)
  const { hooks } = await setUpAlone(policy as Plugin<'policy'>, '/nowhere')
  const problems = await Promise.all(forms.map(([backend, passthrough]) => refusals(hooks, backend, passthrough)))
  return forms.flatMap(([backend], at) => (problems[at]?.length ? [] : [backend]))
}
const refusals = (hooks: Hooks['policy'], backend: string, passthrough: boolean) => {
  const draft = { id: '1-2-a', tenant: '1', host: 'example.org', backends: [backend], passthrough }
  return hooks.check(draft as unknown as Draft, new AbortController().signal)
}

test.for(Object.entries(presets))('of all presets local alone takes backends on loopback: %s', async ([name, preset]) => {
  expect(await passes(preset())).toEqual(name === 'local' ? forms.map(([backend]) => backend) : [])
})

test("the local preset refuses the gateway's own ports there", async () => {
  const ports = { http: 8081, https: 8444, api: 8071 }
  const policy = presets.local(ports).find(({ name }) => name === 'policy/backends')
  const { hooks } = await setUpAlone(policy as Plugin<'policy'>, '/nowhere')
  for (const port of Object.values(ports))
    for (const host of ['127.0.0.1', '127.9.9.9', '[::1]', '[::ffff:127.0.0.1]'])
      expect(await refusals(hooks, `http://${host}:${port}`, false)).toMatchObject([{ code: 'BACKEND_FORBIDDEN' }])
})
