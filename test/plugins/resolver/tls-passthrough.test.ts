import { expect, it } from 'vitest'
import type { Draft, WorkloadId } from '../../../core/index.ts'
import { tlsPassthrough } from '../../../plugins/index.ts'
import { setUpAlone } from '../../kit/index.ts'

const draft = (passthrough: boolean): Draft => ({
  id: '1-2-a' as WorkloadId,
  tenant: '1',
  host: 'example.org',
  backends: ['192.0.2.7:443'],
  passthrough,
})

it('takes passthrough drafts and leaves the others', async () => {
  const { hooks } = await setUpAlone(tlsPassthrough(), '/nowhere')
  expect(hooks.plan(draft(true))).toEqual({ mode: 'passthrough' })
  expect(hooks.plan(draft(false))).toBeUndefined()
})
