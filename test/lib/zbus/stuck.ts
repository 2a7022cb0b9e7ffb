import { createServer } from '../../../lib/zbus/index.ts'

// A server that takes requests and answers none, to be killed. Argument: the broker.
const server = await createServer({ broker: process.argv[2] ?? '', module: 'm', instance: 'one' })
const call = ([n]: readonly unknown[]) => {
  console.log(`took ${n}`)
  return new Promise(() => undefined)
}
server.register({ name: 'desk', version: '1.0' }, { See: { call } })
server.start()
