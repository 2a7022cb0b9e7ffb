import { createClient, createServer } from 'zos-gateway/zbus'

const broker = process.env.BROKER ?? 'unix:///var/run/redis.sock'
const adder = { name: 'adder', version: '1.0' }

const server = await createServer({ broker, module: 'math', instance: 'node-7' })
server.register(adder, {
  Add: { call: ([a, b]) => Number(a) + Number(b) },
})
server.start()

const client = createClient({ broker })
console.log(await client.call('math', adder, 'Add', [2, 3]))

const hearing = new AbortController()
const events = client.events('math', adder, 'Ticks', hearing.signal)[Symbol.asyncIterator]()
const first = events.next()
const timer = setInterval(() => server.publish(adder, 'Ticks', { n: 1 }), 50)
console.log((await first).value)

clearInterval(timer)
hearing.abort()
client.close()
await server.close()
