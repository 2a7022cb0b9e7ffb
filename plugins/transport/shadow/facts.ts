import { GatewayError, type Neighbours, type NodeFacts } from '../../../core/index.ts'
import { readPublicConfig, saysNone } from '../../../lib/zbus/public-config.ts'
import { type Heard, keyOf } from './ears.ts'

/** What the other modules told the gateway module, for the plugins that would ask them. Nobody is asked. */
export const overheard = (heard: () => Heard, wouldTell: (method: string, args: readonly unknown[]) => void) => {
  const neighbours: Neighbours = {
    async call(module, object, method, args) {
      const said = heard().get(keyOf(object, method, args))
      if (said) return said
      if (module === 'provision') wouldTell(method, args)
      throw unknown(module, method)
    },
  }
  const node: NodeFacts = {
    async publicConfig() {
      const said = heard().get(keyOf('network@0.0.1', 'GetPublicConfig', []))
      if (!said) throw unknown('network', 'GetPublicConfig')
      if ('refused' in said && saysNone(said.refused)) return undefined
      if ('refused' in said) throw unknown('network', `GetPublicConfig: ${said.refused}`)
      const config = readPublicConfig(said.value)
      if (typeof config === 'string') throw unknown('network', `GetPublicConfig: ${config}`)
      return config
    },
  }
  return { neighbours, node }
}

/** The code of what a shadow cannot know. */
export const unheard = 'NEIGHBOUR_UNAVAILABLE'

const unknown = (module: string, method: string): GatewayError =>
  new GatewayError(unheard, `${module} has told the gateway module nothing usable to ${method}`, 'a shadow asks nobody itself')
