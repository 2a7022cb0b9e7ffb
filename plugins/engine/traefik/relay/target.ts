import { connect, type Socket } from 'node:net'
import { Fitness } from '../../../../lib/in-turn.ts'
import type { RelayRoute, RelaySettings } from './protocol.ts'

/** One address that connections are passed to. */
export class Target extends Fitness {
  readonly text: string
  readonly #address: RelayRoute['backends'][number]
  readonly #connectTime: number

  constructor(address: RelayRoute['backends'][number], settings: RelaySettings) {
    super({ first: settings.retry, most: Math.max(30_000, settings.retry) })
    this.text = `${address.host} ${address.port}`
    this.#address = address
    this.#connectTime = settings.connect
  }
  dial(done: (result: Socket | Error) => void): void {
    const socket = connect({ ...this.#address, noDelay: true, keepAlive: true, allowHalfOpen: true })
    const finish = (result: Socket | Error) => {
      clearTimeout(timer)
      socket.off('error', finish)
      if (result instanceof Error) {
        socket.on('error', () => {}).destroy()
        this.failed()
      } else this.answered()
      done(result)
    }
    const timer = setTimeout(() => finish(new Error('it did not accept the connection in time')), this.#connectTime)
    socket.once('error', finish)
    socket.once('connect', () => finish(socket))
  }
}
