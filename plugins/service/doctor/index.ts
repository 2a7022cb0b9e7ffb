import { Acme, DnsWriter, Doctor, definePlugin, knownOptions, NodeFacts, optional } from '../../../core/index.ts'
import { type DoctorOptions, readOptions } from './options.ts'
import { recordsOf } from './records.ts'

export type { DoctorOptions } from './options.ts'

/** Finds out why a name does not work, and says what to write into its zone: behind `gateway doctor` and `gateway dns-records`. docs/doctor.md */
export const doctor = (options: DoctorOptions = {}) => {
  knownOptions('doctor', options, { nameServers: true, http: true, https: true, dnsPort: true })
  const settings = readOptions(options)
  return definePlugin({
    name: 'service/doctor',
    kind: 'service',
    options,
    needs: { node: optional(NodeFacts), acme: optional(Acme), dns: optional(DnsWriter) },
    provides: { doctor: Doctor },
    setup: ({ node, acme, dns, routes }) => ({
      api: {
        doctor: {
          examine: async (name, signal) => {
            const { examine } = await import('./examine.ts')
            return examine({ settings, node, acme, dns, routes }, name, signal)
          },
          records: async (signal) => recordsOf(await node?.publicConfig(signal)),
        },
      },
    }),
  })
}
