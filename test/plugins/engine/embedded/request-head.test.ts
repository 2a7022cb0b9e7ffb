import { expect, test } from 'vitest'
import { isGrpc } from '../../../../plugins/engine/embedded/request-head.ts'

test.each([
  ['application/grpc', true],
  ['application/grpc+proto', true],
  ['Application/gRPC; charset=x', true],
  ['application/grpc-web', false],
  ['text/plain', false],
])('a request of type %s is gRPC: %s', (type, is) => {
  expect(isGrpc(['Content-Type', type])).toBe(is)
})
