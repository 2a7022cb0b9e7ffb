import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Fitness } from '../../../../lib/in-turn.ts'
import { patience } from '../../../../lib/patience.ts'
import type { RelayRoute, RelaySettings } from './protocol.ts'

/** One address that connections are passed to. */
export class Target extends Fitness {
  readonly text: string
  readonly #address: RelayRoute['backends'][number]
  readonly #connectTime: number
  readonly #ca: string | undefined

  constructor(address: RelayRoute['backends'][number], settings: RelaySettings) {
    super({ first: settings.retry, most: Math.max(30_000, settings.retry) })
    this.text = `${address.host} ${address.port}${address.tls ? ' tls' : ''}`
    this.#address = address
    this.#connectTime = settings.connect
    this.#ca = settings.ca
  }
  dial(done: (result: Socket | Error) => void): void {
    const { tls, ...place } = this.#address
    const to = { ...place, noDelay: true, keepAlive: true, allowHalfOpen: true }
    const verify = this.#ca === undefined ? { rejectUnauthorized: false } : { ca: this.#ca }
    const socket = tls ? connectTls({ ...to, ...verify }) : connect(to)
    // Whoever takes the socket over listens too: no error of it is ever without a listener.
    socket.on('error', () => {})
    const finish = (result: Socket | Error) => {
      come()
      socket.off('error', finish)
      if (result instanceof Error) {
        socket.destroy()
        this.failed()
      } else this.answered()
      done(result)
    }
    const come = patience(this.#connectTime, () => finish(new Error('it did not accept the connection in time')))
    socket.once('error', finish)
    socket.once(tls ? 'secureConnect' : 'connect', () => finish(socket))
  }
}
