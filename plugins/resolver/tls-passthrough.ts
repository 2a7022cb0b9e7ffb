import { definePlugin } from '../../core/index.ts'

/** Lets workloads end TLS themselves. Without it a passthrough Set answers PASSTHROUGH_DISABLED. */
export const tlsPassthrough = () =>
  definePlugin({
    name: 'resolver/tls-passthrough',
    kind: 'resolver',
    options: {},
    setup: () => ({ plan: ({ passthrough }) => (passthrough ? { mode: 'passthrough' } : undefined) }),
  })
