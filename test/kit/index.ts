export * from './port.ts'
export * from './redis.ts'
export * from './root.ts'
