import { setTimeout as after } from 'node:timers/promises'
import { ask, textsOf } from '../../../lib/dns/ask.ts'
import { challengeOf } from '../../../lib/dns/challenge.ts'
import type { NameServer } from '../../../lib/dns/name-server.ts'
import type { Wanted } from './config-file.ts'

/** Returns once the name server gives exactly these values for every zone, over UDP and TCP; rejects after five seconds. */
export const answersWith = async (wanted: Wanted): Promise<void> => {
  const late = AbortSignal.timeout(5_000)
  for (;;) {
    const problem = await difference(wanted, late).catch((error: unknown) =>
      error instanceof Error ? error.message : String(error),
    )
    if (problem === undefined) return
    if (late.aborted) throw new Error(problem)
    await after(5)
  }
}

/** Whether it answers for its zones at all; looked at for up to half a second. */
export const answersAtAll = async ({ domains, ...wanted }: Wanted, signal: AbortSignal): Promise<boolean> => {
  const late = AbortSignal.any([signal, AbortSignal.timeout(500)])
  const zone = challengeOf(domains[0] ?? 'invalid')
  while (!late.aborted) {
    const reply = await ask(serverOf(wanted), zone, 'SOA', { timeout: 200, signal: late }).catch(() => undefined)
    if (reply) return reply.authoritative || domains.length === 0
    await after(3)
  }
  return false
}

const difference = async (wanted: Wanted, signal: AbortSignal): Promise<string | undefined> => {
  const server = serverOf(wanted)
  for (const zone of wanted.domains.map(challengeOf)) {
    const values = new Set(wanted.values.get(zone) ?? [])
    for (const over of ['udp', 'tcp'] as const) {
      const reply = await ask(server, zone, 'TXT', { over, signal, timeout: 1_000 })
      const told = textsOf(reply)
      if (!reply.truncated && (told.length !== values.size || told.some((text) => !values.has(text))))
        return `${server.host} port ${server.port} answers ${zone} with other values over ${over.toUpperCase()}`
    }
  }
  return undefined
}

const serverOf = ({ addresses: [host = '127.0.0.1'], port }: Pick<Wanted, 'addresses' | 'port'>): NameServer => ({ host, port })
