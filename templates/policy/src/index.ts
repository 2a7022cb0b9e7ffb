import { definePlugin, GatewayError } from 'zos-gateway'

export interface SampleOptions {
  /** Labels that no name workload may take, in lower case. */
  readonly names: readonly string[]
}

/** Refuses names that are on a list. Put your own rule in the place of `check`. */
export const samplePolicy = (options: SampleOptions) => {
  if (options.names.length === 0) throw new GatewayError('CONFIG_INVALID', 'sample: names is empty', 'give at least one name')
  const names = new Set(options.names)
  return definePlugin({
    name: 'policy/sample',
    kind: 'policy',
    options,
    setup: () => ({
      check: ({ host, zone }) =>
        zone !== undefined && names.has(host.slice(0, -zone.length - 1))
          ? [{ code: 'FORBIDDEN', message: `${host} is reserved`, fix: 'choose another name' }]
          : [],
    }),
  })
}
