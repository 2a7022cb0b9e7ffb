import { createGateway, type RunningGateway } from '../../../core/index.ts'
import { defer } from '../engine/world.ts'
import { freePort } from '../port.ts'
import { tempRoot } from '../root.ts'
import type { Caller, Stand, TransportUnderTest } from './caller.ts'

/** A gateway with the transport under test, and a caller of it. All of it is closed when the test is over. */
export interface OpenedStand {
  readonly stand: Stand
  readonly gateway: RunningGateway
  readonly caller: Caller
  /** One more caller, with connections of its own. */
  connect(): Promise<Caller>
  readonly inexpressible: readonly string[]
}
export type OpenStand = () => Promise<OpenedStand>

export const openStand =
  ({ plugins, transport, inexpressible = [] }: TransportUnderTest): OpenStand =>
  async () => {
    const root = tempRoot()
    defer(root.remove)
    const stand: Stand = { http: await freePort(), https: await freePort(), root: root.path }
    const { plugin, caller: call, close } = await transport(stand)
    if (close) defer(close)
    const gateway = await createGateway({ plugins: [...(await plugins(stand)), plugin] }, { root: root.path })
    defer(gateway.close)
    const connect = async () => {
      const made = await call(gateway)
      defer(() => made.close())
      return made
    }
    return { stand, gateway, caller: await connect(), connect, inexpressible }
  }
