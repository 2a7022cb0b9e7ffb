import { connect } from 'node:net'
import { parseBroker } from '../../../lib/zbus/broker.ts'

/** Where Redis listens on a machine of the usual kinds. */
export const usualBrokers = ['unix:///var/run/redis.sock', 'unix:///run/redis/redis-server.sock', 'tcp://127.0.0.1:6379']

/** The first of these where a Redis answers within half a second; one that wants a password only where there is one. */
export const findBroker = async (brokers: readonly string[] = usualBrokers, password = false): Promise<string | undefined> => {
  const answers = await Promise.all(brokers.map((broker) => isRedis(broker, password)))
  return brokers.find((_, at) => answers[at])
}

const isRedis = (broker: string, password: boolean) =>
  new Promise<boolean>((done) => {
    const { path, host, port = 0 } = parseBroker(broker)
    const socket = path === undefined ? connect({ host: host ?? '127.0.0.1', port }) : connect({ path })
    socket.setTimeout(500)
    socket.once('connect', () => socket.write('PING\r\n'))
    for (const event of ['error', 'timeout', 'close', 'data'] as const)
      socket.once(event, (data?: unknown) => {
        socket.destroy()
        const said = data instanceof Buffer ? data.toString('latin1') : ''
        done(said.startsWith('+PONG') || (password && said.startsWith('-NOAUTH')))
      })
  })
