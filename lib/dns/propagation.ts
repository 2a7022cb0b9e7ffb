import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { setTimeout as after } from 'node:timers/promises'
import { ask } from './ask.ts'
import { unavailable } from './failure.ts'
import type { NameServer } from './name-server.ts'
import { textsOf } from './reply.ts'

export interface Propagation {
  /** Name servers that must all answer with the value: `192.0.2.1`, `[2001:db8::1]:5353`. By default those that the zone itself names. */
  readonly servers?: readonly string[]
  /** How long they may take; 120 by default. */
  readonly seconds?: number
}

/** Returns once every name server of the name answers with the value, over UDP and TCP. Rejects with DNS_UNAVAILABLE, naming who does not. */
export const untilAnswered = async (name: string, value: string, how: Propagation, signal: AbortSignal): Promise<void> => {
  const { seconds = 120 } = how
  const late = AbortSignal.timeout(seconds * 1_000)
  const through = AbortSignal.any([signal, late])
  for (let pause = 50; ; pause = Math.min(pause * 2, 5_000)) {
    const missing = await whoLacks(name, value, how, through).catch((error: unknown) =>
      error instanceof Error ? error.message : String(error),
    )
    if (missing === undefined) return
    await after(pause, undefined, { signal: through }).catch(() => undefined)
    signal.throwIfAborted()
    if (late.aborted)
      throw unavailable(
        `the record was written, but after ${seconds} s it is not answered: ${missing}`,
        'see whether the zone is delegated to those name servers, or give `propagation: { servers }`',
      )
  }
}

const whoLacks = async (
  name: string,
  value: string,
  { servers }: Propagation,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const all = servers?.map(serverOf) ?? (await authorities(name, signal))
  const asked = all.flatMap((server) => (['udp', 'tcp'] as const).map((over) => ({ server, over })))
  const lacking = await Promise.all(
    asked.map(async ({ server, over }) => {
      const reply = await ask(server, name, 'TXT', { over, signal, timeout: 3_000 }).catch((error: Error) => error.message)
      if (typeof reply === 'string') return reply
      if (textsOf(reply).includes(value) || (over === 'udp' && reply.truncated)) return undefined
      return `${server.host} port ${server.port} answers without it over ${over.toUpperCase()}`
    }),
  )
  return lacking.find((problem) => problem !== undefined)
}

/** Name servers of one zone that are asked; a zone seldom has more than 13. */
const maxServers = 16

/** The name servers of the zone that the name is in, by what the system's resolver says; behind a CNAME, of the zone that it leads to. */
const authorities = async (name: string, signal: AbortSignal): Promise<readonly NameServer[]> => {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 })
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    const [target = name] = await resolver.resolveCname(name).catch(() => [])
    for (let zone = target; zone.includes('.'); zone = zone.slice(zone.indexOf('.') + 1)) {
      // What a zone says of itself may be any number.
      const hosts = (await resolver.resolveNs(zone).catch(() => [])).slice(0, maxServers)
      const addresses = await Promise.all(hosts.map((host) => resolver.resolve4(host).catch(() => [])))
      const found = addresses
        .flat()
        .slice(0, maxServers)
        .map((host) => ({ host, port: 53 }))
      if (found.length > 0) return found
    }
    throw new Error(`no name server of ${target} is to be found`)
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

const serverOf = (text: string): NameServer => {
  const server = parseServer(text)
  if (!server) throw new Error(`'${text}' is no name server`)
  return server
}
/** An IP address, with a port where it is not 53. */
export const parseServer = (text: string): NameServer | undefined => {
  const [, bracketed, plain, port = '53'] = /^(?:\[([^\]]+)\]|([^:\s]+))(?::([0-9]{1,5}))?$/.exec(text) ?? []
  const host = isIP(text) ? text : (bracketed ?? plain ?? '')
  const number = isIP(text) ? 53 : Number(port)
  return isIP(host) && number > 0 && number < 65_536 ? { host, port: number } : undefined
}
