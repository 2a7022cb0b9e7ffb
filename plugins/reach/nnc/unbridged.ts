import { definePlugin, Neighbours } from '../../../core/index.ts'
import { namespaceOf } from './network.ts'

/** For a shadow, beside the gateway that serves: asks networkd for the network of a workload as `nnc()` does, and bridges nothing. */
export const unbridged = () =>
  definePlugin({
    name: 'reach/unbridged',
    kind: 'reach',
    options: {},
    needs: { neighbours: Neighbours },
    setup: ({ neighbours }) => ({
      async reach({ id, network, backends }, signal) {
        if (network !== undefined) await namespaceOf(neighbours, { id, network }, { signal, timeout: 10_000 })
        return backends
      },
      release: () => undefined,
    }),
  })
