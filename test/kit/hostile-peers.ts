import { once } from 'node:events'
import { connect, type NetConnectOpts, type Socket } from 'node:net'

const random = (size: number, seed: number): Buffer => {
  let state = seed
  return Buffer.from(
    Array.from({ length: size }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return state >>> 24
    }),
  )
}
const proxyV2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

/** What hostile peers begin with: nothing, noise, halves of every protocol that a process of ours speaks, JSON of every wrong shape. */
const texts = [
  '',
  'G',
  'GET / HTTP/1.1\r\nHost: x\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  'GET /\x01 HTTP/1.1\r\nHost: \x7f\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: \r\nContent-Length: -1\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: a\r\nContent-Length: x\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\nZZ\r\n',
  'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
  `GET / HTTP/1.1\r\n${'x: y\r\n'.repeat(3_000)}\r\n`,
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'null\n',
  '[]\n',
  '{}\n',
  '1\n{"n":1}\n{"id":1}\n',
  '{"n":1,"do":"set"}\n{"n":2,"do":"remove","id":{}}\n{"id":1,"changes":[null]}\n',
  '{"server":{"host":"x","port":99999},"name":"a..b","type":"SOA","over":"udp","timeout":-1}\n',
  '{"server":{"host":"127.0.0.1","port":70000},"name":"a","over":"udp","timeout":50}\n',
  '{"server":{"host":"127.0.0.1","port":1},"name":"a","over":"tcp","timeout":1e300}\n',
  '{"do":"present","fqdn":[],"value":{}}\n',
  `${'['.repeat(50_000)}\n`,
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  '\x00\x00\xff\xff\x00\x01',
]
const openings: readonly Buffer[] = [
  ...texts.map((text) => Buffer.from(text, 'latin1')),
  proxyV2,
  Buffer.concat([proxyV2, Buffer.from([0x21, 0x11, 0xff, 0xff])]),
  Buffer.concat([proxyV2, Buffer.from([0x21, 0x11, 0, 12]), Buffer.alloc(12, 7), Buffer.from('GET / HTTP/1.1\r\n\r\n')]),
  ...Array.from({ length: 24 }, (_, n) => random(1 + n * 97, n)),
]

/** Ends that a peer may make of a connection. */
const endings: readonly ((socket: Socket) => unknown)[] = [
  // Sockets of the unix family know no reset.
  (socket) => (socket.remoteFamily === undefined ? socket.destroy() : socket.resetAndDestroy()),
  (socket) => socket.end(),
  (socket) => socket.destroy(),
]

/** Opens connections with every opening and every ending; resolves once all of them are gone, whoever ended them. */
export const hostilePeers = async (to: NetConnectOpts): Promise<void> => {
  for (const ending of endings)
    await Promise.all(
      openings.map(async (opening) => {
        const socket = connect(to)
        socket.on('error', () => undefined).resume()
        const closed = new Promise((done) => socket.once('close', done))
        const up = await Promise.race([once(socket, 'connect').catch(() => undefined), closed])
        if (up === undefined) return
        await new Promise((done) => socket.write(opening, done))
        // One after another byte, too, as a slow peer has it.
        socket.write('\n')
        ending(socket)
        socket.destroySoon()
        await closed
      }),
    )
}
