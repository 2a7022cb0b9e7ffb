import { describe, expect, test } from 'vitest'
import { accessLine } from '../../../../plugins/engine/embedded/access-log.ts'

describe('a line of the access log', () => {
  test('is one line of JSON that a terminal shows as it is', () => {
    const path = '/"\n\u001b[31m\u009b\u2028\u2029\u007f'
    const line = accessLine({
      workload: '1-1-a',
      host: 'a.test',
      client: '::1',
      protocol: 'HTTP/2',
      path,
      request: 0,
      response: 0,
      milliseconds: 1,
    })
    expect(line).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
    expect(JSON.parse(line)).toMatchObject({ workload: '1-1-a', path })
  })
})
