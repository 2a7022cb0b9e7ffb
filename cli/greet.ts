import type { RunningGateway } from '../core/gateway.ts'
export const greet = (status: ReturnType<RunningGateway['status']>, file: string | undefined): void =>
  console.log(JSON.stringify([status, file]))
