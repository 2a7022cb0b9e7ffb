import { type Capability, capability, definePlugin, GatewayError } from 'zos-gateway'

/** What this service offers to other plugins: `needs: { sample: Sample }`. */
export interface Sample {
  /** How many hosts are served, of those that end in the suffix. */
  count(): number
}
export const Sample: Capability<Sample> = capability<Sample>('sample/count')

export interface SampleOptions {
  readonly suffix: string
}

/** Counts hosts. Put in what other plugins of yours need. */
export const sampleService = (options: SampleOptions) => {
  if (options.suffix === '') throw new GatewayError('CONFIG_INVALID', 'sample: suffix is empty', 'give one such as .org')
  return definePlugin({
    name: 'service/sample',
    kind: 'service',
    options,
    provides: { sample: Sample },
    setup: ({ routes }) => ({
      api: { sample: { count: () => [...routes.all()].filter(({ host }) => host.endsWith(options.suffix)).length } },
    }),
  })
}
