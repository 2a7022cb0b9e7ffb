import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { connectEndpoint } from '../../../../plugins/engine/traefik/endpoint/client.ts'
import { tempRoot } from '../../../kit/index.ts'

test('a connection that ends in the moment in which something is to be said is waited out, and all is said on the next', async () => {
  const root = tempRoot('endpoint-client')
  const path = join(root.path, 'socket')
  const hello = `${JSON.stringify({ hello: { revision: 'r', size: 0, port: 1, bodies: 0 } })}\n`
  let connections = 0
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    // What is no JSON has the client end the connection in the same turn in which it takes the greeting.
    if (++connections === 1) return void socket.write(`${hello}nonsense\n`)
    socket.write(hello)
    socket.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.trim().split('\n')) {
        const { id } = JSON.parse(line)
        socket.write(`${JSON.stringify({ answer: { id, revision: 's' } })}\n`)
      }
    })
  })
  server.listen(path)
  await once(server, 'listening')
  const client = connectEndpoint(path)
  onTestFinished(async () => {
    await client.close()
    server.close()
    await root.remove()
  })
  expect(await client.replace([['1-1-a', '{}']])).toEqual(new Map())
  expect(connections).toBe(2)
})
