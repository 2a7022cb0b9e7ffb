import { type GatewayError, parseOperation } from '../../core/index.ts'
import type { World } from '../kit/engine/world.ts'

/** What a transport would be told, from the words of a caller on: `ok`, or code and message. */
export const told = async (world: World, operation: object): Promise<string> => {
  try {
    await world.gateway.dispatch(parseOperation(operation), { wait: 'live' })
    return 'ok'
  } catch (error) {
    const { code, message } = error as GatewayError
    return `${code}: ${message}`
  }
}
