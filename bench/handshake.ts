import { once } from 'node:events'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { tempRoot } from '../test/kit/root.ts'
import { api } from './parts/client.ts'
import { startGateway } from './parts/gateway.ts'
import { count, digits, median, ms, percentile } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'

const counts = [1, 10, 100, 1_000]
const hostOf = (n: number) => `d${n}.bench-${n}.example.net`

interface Point {
  readonly certificates: number
  /** Milliseconds. */
  readonly first: readonly number[]
  readonly later: readonly number[]
  /** Bytes after a full collection. */
  readonly resident: number
}

/** How long a full TLS handshake takes, and how much is held, by how many domains have a certificate of their own. */
export const measure = async ({ quick, say }: Options): Promise<Figure> => {
  const each = quick ? 100 : 1_000
  const root = tempRoot('bench-handshake')
  const gateway = await startGateway({ root: root.path, durability: 'process', say })
  const calls = api(join(gateway.root, 'gateway.sock'), 16)
  const handshake = async (host: string): Promise<number> => {
    const began = performance.now()
    const socket = connect({ port: gateway.https, host: '127.0.0.1', servername: host, rejectUnauthorized: false })
    try {
      await once(socket, 'secureConnect')
      return performance.now() - began
    } catch (cause) {
      throw new Error(`no handshake for ${host}`, { cause })
    } finally {
      socket.destroy()
    }
  }
  const points: Point[] = []
  try {
    let there = 0
    for (const certificates of counts) {
      const from = there
      say(`${count(certificates)} certificates`)
      const worker = async () => {
        while (there < certificates) {
          const n = there++
          await calls.setDomain(`1-${n}-bench`, hostOf(n), 'http://127.0.0.1:9')
        }
      }
      await Promise.all(Array.from({ length: 16 }, worker))
      const first: number[] = []
      for (let n = from; n < certificates; n++) first.push(await handshake(hostOf(n)))
      const { resident } = await gateway.memory()
      const later: number[] = []
      for (let n = 0; n < each; n++) later.push(await handshake(hostOf((n * 7_919) % certificates)))
      points.push({ certificates, first, later, resident })
    }
    return report(points, each)
  } finally {
    calls.close()
    await gateway.stop()
    await root.remove()
  }
}

const report = (points: readonly Point[], each: number): Figure => {
  const [few, many] = [points[0], points.at(-1)]
  if (!few || !many) throw new Error('nothing was measured')
  const held = (many.resident - few.resident) / (many.certificates - few.certificates) / 1_024
  return {
    title: 'Handshakes by the number of certificates',
    columns: ['certificates', 'first handshake', 'p99', 'later ones', 'p99', 'RSS'],
    rows: points.map(({ certificates, first, later, resident }) => [
      count(certificates),
      ms(median(first)),
      ms(percentile(first, 0.99)),
      ms(median(later)),
      ms(percentile(later, 0.99)),
      `${digits(resident / 1e6)} MB`,
    ]),
    targets: [
      { what: 'a handshake over one with a single certificate', value: median(many.later) / median(few.later), most: 1.2 },
      { what: 'memory a certificate', value: held, most: 64, unit: 'KiB' },
    ],
    notes: [
      `Each certificate is of a domain of its own, ECDSA P-256, from the local CA. Full handshakes, one after the other, none resumed: the first of each domain, then ${count(each)} of domains in turn; medians. RSS after a full collection, behind the first handshakes.`,
    ],
  }
}
