import { expect, it } from 'vitest'
import { describeEngine, describeTransport } from './index.ts'

const unused = () => Promise.reject(new Error('no case is run'))

it('refuses a list of exceptions that names no case', () => {
  const cannot = { 'serves gopher': 'nobody asked' }
  expect(() => describeEngine('engine/none', { engine: unused, cannot })).toThrow('no such cases: serves gopher')
  expect(() => describeTransport('transport/none', { plugins: unused, transport: unused, cannot })).toThrow('serves gopher')
  const inexpressible = ['a smell']
  expect(() => describeTransport('transport/none', { plugins: unused, transport: unused, inexpressible })).toThrow('a smell')
})
