import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Supervisor, WorkloadId } from '../../../../core/index.ts'
import { startRelay } from '../../../../plugins/engine/traefik/relay/service.ts'
import { processes } from '../../../../plugins/service/processes/index.ts'
import { clientHello, freePort, rawBackend, setUpAlone, tempRoot } from '../../../kit/index.ts'
import { passThrough, relayRoute } from './relay-stand.ts'

test('outlives the gateway with its connections, and is adopted with its routes and counters', async () => {
  const root = tempRoot('relay')
  onTestFinished(root.remove)
  const port = await freePort()
  const options = { folder: `${root.path}/relay`, port, settings: { hello: 2_000, connect: 2_000, retry: 500 }, keep: true }
  const open = async () => {
    const alone = await setUpAlone(processes({ backoff: { first: 0.1, most: 1 } }), root.path)
    const relay = await startRelay(alone.api.supervisor as Supervisor, options)
    await relay.service.ready
    return {
      relay,
      close: async () => {
        alone.become('stopping')
        await relay.close()
        await relay.close()
        await alone.close()
      },
    }
  }
  const id = '1-1-own' as WorkloadId
  const backend = await rawBackend(async (connection) => {
    for (;;) await connection.send(await connection.some())
  })
  onTestFinished(backend.close)
  const one = await open()
  await one.relay.client.restore([relayRoute(id, 'own.test', [backend.address])])
  const client = await passThrough({ port }, 'own.test')
  await client.take(client.hello.length)
  const { pid } = one.relay.service.status()
  await one.close()

  await client.send('still here')
  expect((await client.take(10)).toString()).toBe('still here')

  const two = await open()
  expect(two.relay.service.adopted).toBe(true)
  expect(two.relay.service.status().pid).toBe(pid)
  const sum = (await clientHello('own.test')).length + 10
  await vi.waitFor(async () => {
    const { bytes } = await two.relay.client.read(AbortSignal.timeout(5_000))
    expect(bytes.get(id)).toEqual({ request: sum, response: sum })
  })
  await two.relay.service.stop()
  await client.closed
  const refused = connect(port, '127.0.0.1')
  await expect(once(refused, 'connect')).rejects.toThrow('ECONNREFUSED')
  await two.close()
})
