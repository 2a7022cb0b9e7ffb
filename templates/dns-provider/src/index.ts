import { challengeOf, DnsWriter, definePlugin, GatewayError, readChallenge, refused } from 'zos-gateway'

/** What a DNS service can do for one name. */
export interface Zone {
  texts(name: string): Promise<readonly string[]>
  /** Returns once the name servers answer with it. */
  add(name: string, text: string): Promise<void>
  remove(name: string, text: string): Promise<void>
}
export interface SampleOptions {
  /** The domains whose challenges it writes. */
  readonly domains: readonly string[]
  /** Put the client of your DNS service in here. */
  readonly zone: Zone
}

/** Writes DNS challenges into a zone. */
export const sampleProvider = (options: SampleOptions) => {
  const { domains, zone } = options
  if (domains.length === 0) throw new GatewayError('CONFIG_INVALID', 'sample: domains is empty', 'give at least one domain')
  const names = domains.map(challengeOf)
  /** The name in its canonical form; whatever is no challenge of ours is refused. */
  const read = (fqdn: string, value: string): string => {
    const told = readChallenge(fqdn, value, (name) => names.includes(name), names.join(', '))
    if ('problem' in told) throw refused([told.problem])
    return told.name
  }
  let last: Promise<unknown> = Promise.resolve()
  /** One change at a time: many orders run at once. */
  const inTurn = (change: () => Promise<unknown>): Promise<unknown> => {
    last = last.then(change, change)
    return last
  }
  return definePlugin({
    name: 'dns-provider/sample',
    kind: 'dns-provider',
    options,
    provides: { dns: DnsWriter },
    setup: () => ({
      api: {
        dns: {
          async present(fqdn, value, signal) {
            signal.throwIfAborted()
            const name = read(fqdn, value)
            // Twice is once.
            await inTurn(async () => (await zone.texts(name)).includes(value) || zone.add(name, value))
          },
          async cleanup(fqdn, value) {
            const name = read(fqdn, value)
            await inTurn(() => zone.remove(name, value))
          },
        },
      },
    }),
  })
}
