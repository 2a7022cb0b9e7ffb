import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { defer } from '../../../kit/engine/world.ts'

/** Both ends of one TCP connection on this machine, half-open where one ends, gone when the test is over. */
export const socketPair = async (): Promise<readonly [near: Socket, far: Socket]> => {
  const server = createServer({ allowHalfOpen: true, noDelay: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const far = connect({ port: typeof address === 'object' ? (address?.port ?? 0) : 0, host: '127.0.0.1', allowHalfOpen: true })
  const near = await new Promise<Socket>((connected) => server.once('connection', connected))
  server.close()
  for (const end of [near, far]) {
    end.on('error', () => undefined)
    defer(() => end.destroy())
  }
  return [near, far]
}
