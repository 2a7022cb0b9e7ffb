import { setTimeout as after } from 'node:timers/promises'
import { reason } from '../../../core/index.ts'
import { challengeOf } from '../../../lib/dns/challenge.ts'
import type { NameServer } from '../../../lib/dns/name-server.ts'
import { patience } from '../../../lib/patience.ts'
import type { Wanted } from './config-file.ts'
import type { Look } from './inside.ts'

/** Returns once the name server gives exactly these values for every zone, over UDP and TCP; rejects where a zone takes over five seconds. */
export const answersWith = async (wanted: Wanted, look: Look): Promise<void> => {
  for (const name of wanted.domains.map(challengeOf)) await answersFor(name, wanted, look)
}
const answersFor = async (name: string, wanted: Wanted, look: Look): Promise<void> => {
  const late = new AbortController()
  const come = patience(5_000, () => late.abort())
  try {
    for (;;) {
      const problem = await difference(name, wanted, look, late.signal).catch(reason)
      if (problem === undefined) return
      if (late.signal.aborted) throw new Error(problem)
      await after(5)
    }
  } finally {
    come()
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

const difference = async (name: string, wanted: Wanted, look: Look, signal: AbortSignal): Promise<string | undefined> => {
  const server = serverOf(wanted)
  const values = new Set(wanted.values.get(name) ?? [])
  for (const over of ['udp', 'tcp'] as const) {
    const { truncated, texts } = await look({ server, name, type: 'TXT', over, timeout: 1_000 }, signal)
    if (!truncated && (texts.length !== values.size || texts.some((text) => !values.has(text))))
      return `${server.host} port ${server.port} answers ${name} with other values over ${over.toUpperCase()}`
  }
  return undefined
}

const serverOf = ({ addresses: [host = '127.0.0.1'], port }: Pick<Wanted, 'addresses' | 'port'>): NameServer => ({ host, port })
