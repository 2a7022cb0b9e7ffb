import { definePlugin, type Plugin } from '../core/index.ts'
import { memory, type ShadowOptions, shadow, unbridged } from '../plugins/index.ts'

/** What judges a Set. None of the rest is set up: it would serve, write, or ask. */
const judging: readonly Plugin['kind'][] = ['workload', 'policy', 'resolver']

/** The plugins of a config that decide, with a table that nobody is served from, beside a Go module that is heard (`gateway --shadow`). */
export const shadowed = (plugins: readonly Plugin[], options: ShadowOptions): Plugin[] => [
  shadow(options),
  ...plugins.filter(({ kind }) => judging.includes(kind)),
  ...(plugins.some(({ kind }) => kind === 'reach') ? [unbridged()] : []),
  memory(),
  nobody,
]

/** Takes every change, and serves nobody. */
const nobody = definePlugin({
  name: 'engine/nobody',
  kind: 'engine',
  options: {},
  setup: () => ({ restore: () => undefined, apply: () => undefined, issues: () => true, install: () => undefined }),
})
