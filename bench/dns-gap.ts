import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { dnsmasq, processes, responder } from '../plugins/index.ts'
import { challengeValue, endKept, freePort, keptChildren, openDns, tempRoot } from '../test/kit/index.ts'
import { dnsmasqPath } from '../test/kit/programs.ts'
import { count, ms } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'

const domain = 'gw.example.org'
const name = `_acme-challenge.${domain}`
const providers = {
  responder: (port: number) => [responder({ domains: [domain], addresses: ['127.0.0.1'], port })],
  dnsmasq: (port: number) => [
    dnsmasq({ domains: [domain], addresses: ['127.0.0.1'], port, command: dnsmasqPath() }),
    processes(),
  ],
}

/** The longest time without an answer of the challenge zone, asked every millisecond, while its values change, and over a kill -9. */
export const measure = async ({ quick, say }: Options): Promise<Figure> => {
  const waves = quick ? 2 : 10
  say('200 values up and down at once, from the responder')
  const own = await course('responder', waves, false)
  say('the same from dnsmasq')
  const other = await course('dnsmasq', waves, false)
  say('the same from a dnsmasq that is killed')
  const killed = await course('dnsmasq', 1, true)
  const row = (what: string, { asked, unanswered, gap }: Course) => [what, count(asked), count(unanswered), ms(gap)]
  return {
    title: 'Answers for a challenge zone while its values change',
    columns: ['provider', 'questions', 'unanswered', 'longest gap'],
    rows: [row('responder', own), row('dnsmasq', other), row('dnsmasq, killed once', killed)],
    targets: [
      { what: 'questions that the responder leaves unanswered', value: own.unanswered, most: 0 },
      { what: 'longest gap of dnsmasq', value: other.gap, most: 50, unit: 'ms' },
    ],
    notes: [
      `A question over UDP every millisecond, without asking again, while 200 values of one name are put up at once and taken away as each is answered, ${waves} times. A gap is the time between two answers that follow each other; dnsmasq is started anew for each batch.`,
    ],
  }
}

interface Course {
  readonly asked: number
  readonly unanswered: number
  /** Milliseconds. */
  readonly gap: number
}

const course = async (provider: keyof typeof providers, waves: number, kill: boolean): Promise<Course> => {
  const root = tempRoot('bench-dns')
  const port = await freePort()
  const { dns, gateway } = await openDns(providers[provider](port), root.path)
  try {
    await dns.present(name, challengeValue(), AbortSignal.timeout(30_000))
    const client = new Worker(new URL('./dns-gap/client.ts', import.meta.url), { workerData: { port, name } })
    await once(client, 'message')
    for (let wave = 0; wave < waves; wave++) {
      const changes = Array.from({ length: 200 }, async () => {
        const value = challengeValue()
        await dns.present(name, value, AbortSignal.timeout(60_000))
        await dns.cleanup(name, value)
      })
      const [pid] = keptChildren(root.path).values()
      if (kill && pid !== undefined) process.kill(pid, 'SIGKILL')
      await Promise.all(changes)
    }
    client.postMessage('stop')
    const [result]: Course[] = await once(client, 'message')
    await client.terminate()
    if (!result) throw new Error('the client told nothing')
    return result
  } finally {
    await gateway.close()
    await endKept(root.path)
    await root.remove()
  }
}
