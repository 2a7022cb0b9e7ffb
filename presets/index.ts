export { local } from './local.ts'
export { zos } from './zos.ts'
