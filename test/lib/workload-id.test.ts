import { describe, expect, it } from 'vitest'
import { isWorkloadId, tenantOf, twinOf } from '../../lib/workload-id.ts'

describe('workload ids', () => {
  it.each(['40-1976-shop', 'a', '-', '_', 'A_b-9', 'x'.repeat(128)])('takes %s', (id) => expect(isWorkloadId(id)).toBe(true))
  it.each([
    '',
    '.',
    '..',
    '../x',
    'a/b',
    '1-2-../../etc',
    'x.yaml',
    'a b',
    'a\n',
    'a\u0000',
    '\u212a',
    'x'.repeat(129),
    'x'.repeat(4_096),
    '__proto__',
    'constructor',
    'hasOwnProperty',
    'toString',
    'valueOf',
    '__defineGetter__',
  ])('fault 6: refuses %j', (id) => expect(isWorkloadId(id)).toBe(false))
  it('is not searched for a twin where it is longer than any id', () => {
    for (const id of ['0'.repeat(1_000_000), '1'.repeat(1_000_000), `1-${'2'.repeat(1_000_000)}`])
      expect(twinOf(id)).toBeUndefined()
  })
  it.each([
    ['40-1976-shop', '40', '40'],
    ['40-1976-shop-2', '40', '40'],
    ['0040-1976-shop', '40', '40'],
    ['0-1976-shop', '0', '0'],
    ['40-1976-', undefined, '40-1976-'],
    ['40-x-shop', undefined, '40-x-shop'],
    ['shop', undefined, 'shop'],
  ])('%s is the twin %s’s and counts for %s', (id, twin, tenant) => {
    expect(twinOf(id)).toBe(twin)
    expect(tenantOf(id)).toBe(tenant)
  })
})
