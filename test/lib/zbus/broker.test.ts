import { expect, it } from 'vitest'
import { parseBroker, retryDelay, shownBroker } from '../../../lib/zbus/broker.ts'

it.each([
  ['unix:///var/run/redis.sock', { path: '/var/run/redis.sock' }],
  ['unix:///a%20b.sock', { path: '/a b.sock' }],
  ['tcp://127.0.0.1:6379', { host: '127.0.0.1', port: 6379 }],
  ['tcp://redis.local', { host: 'redis.local', port: 6379 }],
  ['tcp://s3cr%40t@127.0.0.1:7000', { host: '127.0.0.1', port: 7000, password: 's3cr@t' }],
  ['tcp://:s3cret@[::1]:7000', { host: '::1', port: 7000, password: 's3cret' }],
])('reads %s', (text, broker) => {
  expect(parseBroker(text)).toEqual(broker)
})

it.each([
  '',
  'redis',
  '/var/run/redis.sock',
  'unix://',
  'unix://run/redis.sock',
  'unix:///',
  'redis://127.0.0.1',
  'tcp://',
  'tcp://:1',
])('refuses %j and says what to write', (text) => {
  expect(() => parseBroker(text)).toThrow('write unix:///path/of.sock or tcp://[password@]host:port')
})

it('shows an address without its password', () => {
  expect(shownBroker(parseBroker('tcp://s3cret@[::1]:7000'))).toBe('tcp://[::1]:7000')
  expect(shownBroker(parseBroker('unix:///var/run/redis.sock'))).toBe('unix:///var/run/redis.sock')
})

it('never waits longer than 5 s for the next try, nor twice the same for all', () => {
  const delays = Array.from({ length: 1_000 }, (_, at) => retryDelay(at + 1))
  expect(Math.max(...delays)).toBeLessThanOrEqual(5_000)
  expect(Math.min(...delays.slice(10))).toBeGreaterThanOrEqual(2_500)
  expect(new Set(delays).size).toBeGreaterThan(900)
})
