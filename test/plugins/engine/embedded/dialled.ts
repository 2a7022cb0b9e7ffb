import { once } from 'node:events'
import { createServer } from 'node:net'
import { parseBackend } from '../../../../lib/backend.ts'
import { Row } from '../../../../lib/row.ts'
import { Backend, type Dialling } from '../../../../plugins/engine/embedded/backends.ts'
import { Descriptors } from '../../../../plugins/engine/embedded/descriptors.ts'
import { Wire } from '../../../../plugins/engine/embedded/wire.ts'

/** How backends are dialled, with as many idle connections kept. */
export const keeping = (idle: number): Dialling => ({
  connectTime: 5_000,
  idle,
  idleTime: 10_000,
  idleWires: new Row(),
  ca: undefined,
  descriptors: new Descriptors(),
  retry: { first: 1_000, most: 8_000 },
})

export const backendAt = (port: number, dialling: Dialling): Backend => {
  const address = parseBackend(`http://127.0.0.1:${port}`, false)
  if (typeof address === 'string') throw new Error(address)
  return new Backend(address, dialling)
}

/** Accepts connections and says nothing. */
export const listening = async () => {
  const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return { server, port: typeof address === 'object' && address ? address.port : 0 }
}

export const dialled = (backend: Backend): Promise<Wire> =>
  new Promise((resolve, reject) => backend.dial((result) => (result instanceof Wire ? resolve(result) : reject(result))))
