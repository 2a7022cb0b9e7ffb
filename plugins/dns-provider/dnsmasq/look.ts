import { setTimeout as after } from 'node:timers/promises'
import { challengeOf } from '../../../lib/dns/challenge.ts'
import type { NameServer } from '../../../lib/dns/name-server.ts'
import type { Wanted } from './config-file.ts'
import type { Look } from './inside.ts'

/** Returns once the name server gives exactly these values for every zone, over UDP and TCP; rejects after five seconds. */
export const answersWith = async (wanted: Wanted, look: Look): Promise<void> => {
  const late = AbortSignal.timeout(5_000)
  for (;;) {
    const problem = await difference(wanted, look, late).catch((error: unknown) =>
      error instanceof Error ? error.message : String(error),
    )
    if (problem === undefined) return
    if (late.aborted) throw new Error(problem)
    await after(5)
  }
}

/** Whether it answers for its zones at all; looked at for up to half a second. */
export const answersAtAll = async ({ domains, ...wanted }: Wanted, look: Look, signal: AbortSignal): Promise<boolean> => {
  const late = AbortSignal.any([signal, AbortSignal.timeout(500)])
  const name = challengeOf(domains[0] ?? 'invalid')
  const question = { server: serverOf(wanted), name, type: 'SOA', over: 'udp', timeout: 200 } as const
  while (!late.aborted) {
    const seen = await look(question, late).catch(() => undefined)
    if (seen) return seen.authoritative || domains.length === 0
    await after(3)
  }
  return false
}

const difference = async (wanted: Wanted, look: Look, signal: AbortSignal): Promise<string | undefined> => {
  const server = serverOf(wanted)
  for (const name of wanted.domains.map(challengeOf)) {
    const values = new Set(wanted.values.get(name) ?? [])
    for (const over of ['udp', 'tcp'] as const) {
      const { truncated, texts } = await look({ server, name, type: 'TXT', over, timeout: 1_000 }, signal)
      if (!truncated && (texts.length !== values.size || texts.some((text) => !values.has(text))))
        return `${server.host} port ${server.port} answers ${name} with other values over ${over.toUpperCase()}`
    }
  }
  return undefined
}

const serverOf = ({ addresses: [host = '127.0.0.1'], port }: Pick<Wanted, 'addresses' | 'port'>): NameServer => ({ host, port })
