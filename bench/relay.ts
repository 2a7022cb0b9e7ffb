import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { proxyHeader } from '../lib/proxy-protocol.ts'
import { connectRelay } from '../plugins/engine/traefik/relay/client.ts'
import { relayArgs } from '../plugins/engine/traefik/relay/service.ts'
import { clientHello } from '../test/kit/clients/pieces.ts'
import { freePort } from '../test/kit/port.ts'
import { tempRoot } from '../test/kit/root.ts'
import { find } from './parts/find.ts'
import { digits, median, times } from './parts/numbers.ts'
import type { Figure, Options } from './parts/options.ts'
import { cpuSeconds } from './parts/proc.ts'
import { type Started, start } from './parts/process.ts'

const host = 'bulk.bench.test'
const rounds = 3
/** Of a piece that either end writes. */
const piece = Buffer.alloc(256 << 10, 'x')

interface Way {
  readonly name: string
  readonly process: Started
  readonly port: number
  /** What a connection begins with, before the ClientHello. */
  readonly before: Buffer
  stop(): Promise<void>
}

/** CPU of a relay per GB that it passes on, and per connection, beside HAProxy that does the same. */
export const measure = async ({ scale, say }: Options): Promise<Figure> => {
  const bytes = Math.max(64 << 20, Math.round(4e9 * scale))
  const connections = Math.max(200, Math.round(5_000 * scale))
  const root = tempRoot('relay-bench')
  const hello = await clientHello(host)
  const backend = await startBackend(hello.length)
  const ways: Way[] = []
  try {
    ways.push(await relayWay(root.path, backend.port))
    const haproxy = await haproxyWay(root.path, backend.port)
    if (haproxy) ways.push(haproxy)
    const results = new Map(ways.map(({ name }) => [name, { down: [] as number[], up: [] as number[], each: [] as number[] }]))
    for (let round = 0; round < rounds; round++)
      for (const way of ways) {
        const of = results.get(way.name)
        const spent = async (work: () => Promise<unknown>) => {
          const before = cpuSeconds(way.process.pid)
          await work()
          return cpuSeconds(way.process.pid) - before
        }
        of?.down.push(((await spent(() => transfer(way, hello, 'd', bytes))) * 1e9) / bytes)
        of?.up.push(((await spent(() => transfer(way, hello, 'u', bytes))) * 1e9) / bytes)
        of?.each.push(((await spent(() => many(way, hello, connections))) * 1e6) / connections)
        say(`round ${round + 1}, ${way.name}: ${digits(of?.down.at(-1) ?? Number.NaN)} s per GB`)
      }
    return report(results)
  } finally {
    for (const way of ways) await way.stop()
    backend.close()
    await root.remove()
  }
}

const report = (results: ReadonlyMap<string, { down: number[]; up: number[]; each: number[] }>): Figure => {
  const floor = results.get('HAProxy')
  const rows = [...results].map(([name, { down, up, each }]) => [
    name,
    `${digits(median(down))} s`,
    `${digits(median(up))} s`,
    `${digits(median(each))} µs`,
    floor ? times(median(down) / median(floor.down)) : '-',
  ])
  return {
    title: 'What the relay of passed-through connections costs',
    columns: ['relay', 'CPU per GB to the client', 'CPU per GB from the client', 'CPU per connection', "of HAProxy's per GB"],
    rows,
    targets: [],
    notes: [
      'User and system time of the relay alone, medians of three rounds; four connections at once carry the bytes, and a connection is a PROXY header, a ClientHello, one byte back and the end. HAProxy, where it is installed, reads the same header and the server name and splices in the kernel; it writes nothing down.',
    ],
  }
}

/** Reads a letter behind the ClientHello: `d` sends bytes until it is closed, `u` takes them, `c` answers one byte. */
const startBackend = async (helloLength: number) => {
  const server = createServer((socket) => {
    let seen = 0
    let mode: number | undefined
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      const at = helloLength - seen
      seen += chunk.length
      if (mode !== undefined || seen <= helloLength) return
      mode = chunk[Math.max(0, at)]
      if (mode === 100) pour(socket)
      else if (mode === 99) socket.end('.')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return { port: typeof address === 'object' && address ? address.port : 0, close: () => server.close() }
}

const pour = (socket: Socket): void => {
  const more = () => {
    while (!socket.destroyed && socket.write(piece)) {}
  }
  socket.on('drain', more)
  more()
}

const open = async ({ port, before }: Way, hello: Buffer, mode: string): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(Buffer.concat([before, hello, Buffer.from(mode)]))
  return socket
}

const transfer = async (way: Way, hello: Buffer, mode: 'd' | 'u', bytes: number): Promise<void> => {
  const share = bytes / 4
  await Promise.all(
    [1, 2, 3, 4].map(async () => {
      const socket = await open(way, hello, mode)
      let moved = 0
      const { promise, resolve } = Promise.withResolvers<void>()
      if (mode === 'd') {
        socket.on('data', (chunk: Buffer) => {
          moved += chunk.length
          if (moved >= share) resolve()
        })
      } else {
        const more = () => {
          while (moved < share && socket.write(piece)) moved += piece.length
          if (moved >= share) resolve()
        }
        socket.on('drain', more)
        more()
      }
      await promise
      socket.destroy()
    }),
  )
}

const many = async (way: Way, hello: Buffer, count: number): Promise<void> => {
  let left = count
  const worker = async () => {
    while (left-- > 0) {
      const socket = await open(way, hello, 'c')
      socket.resume()
      await once(socket, 'close')
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
}

const relayWay = async (folder: string, backendPort: number): Promise<Way> => {
  const port = await freePort()
  const client = connectRelay(join(folder, 'socket'), { hello: 5_000, connect: 5_000, retry: 1_000 })
  const process_ = await start(process.execPath, relayArgs({ folder, port }), {
    until: () =>
      client.restore(
        [{ id: '1-1-bulk', host, backends: [{ host: '127.0.0.1', port: backendPort }] }],
        AbortSignal.timeout(30_000),
      ),
  })
  const stop = async () => {
    await client.close()
    await process_.stop()
  }
  return { name: 'zos-gateway', process: process_, port, before: header, stop }
}

const header = proxyHeader('v2', {
  source: { address: '192.0.2.1', port: 40_000 },
  destination: { address: '127.0.0.1', port: 443 },
})

const haproxyWay = async (folder: string, backendPort: number): Promise<Way | undefined> => {
  const program = find('haproxy')
  if (!program) return undefined
  const port = await freePort()
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(
    file,
    `defaults
  mode tcp
  option splice-auto
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend all
  bind 127.0.0.1:${port} accept-proxy
  tcp-request inspect-delay 5s
  tcp-request content accept if { req_ssl_hello_type 1 }
  use_backend workload if { req_ssl_sni -i ${host} }
backend workload
  server one 127.0.0.1:${backendPort}
`,
  )
  const process_ = await start(program, ['-db', '-f', file], {
    until: async () => {
      for (;;) {
        const socket = connect(port, '127.0.0.1')
        const there = await once(socket, 'connect').then(
          () => true,
          () => false,
        )
        socket.destroy()
        if (there) return
      }
    },
  })
  return { name: 'HAProxy', process: process_, port, before: header, stop: process_.stop }
}
