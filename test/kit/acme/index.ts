export * from './dns.ts'
export * from './pebble.ts'
