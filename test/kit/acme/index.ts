export * from './dns.ts'
export * from './faults.ts'
export * from './pebble.ts'
export * from './world.ts'
