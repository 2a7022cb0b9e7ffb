import { once } from 'node:events'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { tempRoot } from '../test/kit/root.ts'
import { api } from './parts/client.ts'
import { startGateway } from './parts/gateway.ts'
import { count, digits, median, ms, percentile } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'

const counts = [1, 100, 1_000]
const hostOf = (n: number) => `d${n}.bench-${n}.example.net`

/** How long a full TLS handshake takes, and how much is held, by how many domains have a certificate of their own. */
export const measure = async ({ quick, say }: Options): Promise<Figure> => {
  const each = quick ? 100 : 1_000
  const filled: Filled[] = []
  try {
    for (const certificates of counts) filled.push(await fill(certificates, say))
    say('handshakes, with each in turn')
    // In turn, so that whatever else the machine does meets all of them.
    for (let n = 0; n < each; n++) for (const one of filled) one.later.push(await one.handshake((n * 7_919) % one.certificates))
    return report(filled, each)
  } finally {
    for (const { close } of filled) await close()
  }
}

type Filled = Awaited<ReturnType<typeof fill>>

/** A gateway that holds so many certificates, each of which was shown once. */
const fill = async (certificates: number, say: (line: string) => void) => {
  say(`${count(certificates)} certificates`)
  const root = tempRoot('bench-handshake')
  const gateway = await startGateway({ root: root.path, durability: 'process', say })
  const calls = api(join(gateway.root, 'gateway.sock'), 16)
  const handshake = async (n: number): Promise<number> => {
    const began = performance.now()
    const socket = connect({ port: gateway.https, host: '127.0.0.1', servername: hostOf(n), rejectUnauthorized: false })
    try {
      await once(socket, 'secureConnect')
      return performance.now() - began
    } finally {
      socket.destroy()
    }
  }
  let next = 0
  const worker = async () => {
    while (next < certificates) {
      const n = next++
      await calls.setDomain(`1-${n}-bench`, hostOf(n), 'http://127.0.0.1:9')
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  const before = await gateway.memory()
  const first: number[] = []
  for (let n = 0; n < certificates; n++) first.push(await handshake(n))
  const after = await gateway.memory()
  const close = async () => {
    calls.close()
    await gateway.stop()
    await root.remove()
  }
  const later: number[] = []
  return { certificates, first, later, handshake, close, held: (after.resident - before.resident) / certificates / 1_024 }
}

const report = (filled: readonly Filled[], each: number): Figure => {
  const [few, many] = [filled[0], filled.at(-1)]
  if (!few || !many) throw new Error('nothing was measured')
  return {
    title: 'Handshakes by the number of certificates',
    columns: ['certificates', 'first handshake', 'later ones', 'p99', 'held for each'],
    rows: filled.map(({ certificates, first, later, held }) => [
      count(certificates),
      ms(median(first)),
      ms(median(later)),
      ms(percentile(later, 0.99)),
      certificates === 1 ? '' : `${digits(held)} KiB`,
    ]),
    targets: [
      { what: 'a handshake over one with a single certificate', value: median(many.later) / median(few.later), most: 1.2 },
      { what: 'memory a certificate', value: many.held, most: 64, unit: 'KiB' },
    ],
    notes: [
      `Each certificate is of a domain of its own, ECDSA P-256, from the local CA. Full handshakes, one after the other, none resumed: the first of each domain, then ${count(each)} of domains in turn, of which each gateway has one at a time; medians. Held: what RSS after a full collection grew by over the first handshakes.`,
    ],
  }
}
