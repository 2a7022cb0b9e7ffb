import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket as TcpSocket } from 'node:net'
import * as packet from 'dns-packet'
import { freePort } from '../port.ts'

type RecordType = 'A' | 'AAAA' | 'CNAME' | 'NS' | 'SOA' | 'TXT' | 'CAA'
export interface DnsRecords {
  A?: readonly string[]
  AAAA?: readonly string[]
  CNAME?: readonly string[]
  NS?: readonly string[]
  TXT?: readonly string[]
  CAA?: readonly { readonly flags?: number; readonly tag: string; readonly value: string }[]
  SOA?: readonly { readonly mname: string; readonly rname: string }[]
}
/** The DNS as a resolver sees it: what was set, and what the name servers of delegated zones say. */
export interface FakeDns {
  readonly host: '127.0.0.1'
  readonly port: number
  /** `host:port`, as resolvers are given. */
  readonly address: string
  /** Names that were asked for, with the type: `A example.org`. */
  readonly asked: readonly string[]
  /** Replaces all records of a name; `*.example.org` stands for what is below it and not set, `*` for all the rest. */
  set(name: string, records: DnsRecords | 'SERVFAIL'): void
  remove(name: string): void
  /** A TXT value more, or less, beside those that are there. */
  addTxt(name: string, value: string): void
  removeTxt(name: string, value: string): void
  /** The TXT values that a name has. */
  txt(name: string): readonly string[]
  /** Has questions for a zone and what is below it answered by another name server, `host:port`; absent: by none. */
  delegate(zone: string, server?: string): void
  close(): Promise<void>
}

/** A resolver for a world of one's own, on a free port of 127.0.0.1, UDP and TCP. A name that was not set does not exist. */
export const startDns = async (): Promise<FakeDns> => {
  const socket = createSocket('udp4')
  const port = await freePort()
  const records = new Map<string, DnsRecords | 'SERVFAIL'>()
  const zones = new Map<string, string>()
  const asked: string[] = []
  const upstream = new Set<Socket>()

  const find = (name: string): DnsRecords | 'SERVFAIL' | undefined => {
    const exact = records.get(name)
    if (exact !== undefined) return exact
    const labels = name.split('.')
    for (let at = 1; at <= labels.length; at++) {
      const found = records.get(['*', ...labels.slice(at)].join('.'))
      if (found !== undefined) return found
    }
    return undefined
  }
  const forward = (zone: string, query: Buffer, send: (answer: Buffer) => void) => {
    const [host = '', to = '53'] = (zones.get(zone) ?? '').split(':')
    const out = createSocket('udp4')
    upstream.add(out)
    const end = () => {
      clearTimeout(timer)
      if (upstream.delete(out)) out.close()
    }
    const timer = setTimeout(() => {
      reply(query, send, [], 2)
      end()
    }, 2_000)
    out.once('message', (answer) => {
      send(answer)
      end()
    })
    out.once('error', end)
    out.send(query, Number(to), host)
  }
  const reply = (query: Buffer, send: (answer: Buffer) => void, answers: packet.Answer[], code: number) => {
    const { id, questions } = packet.decode(query)
    const flags = packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE | code
    send(packet.encode({ type: 'response', id: id ?? 0, flags, questions: questions ?? [], answers }))
  }
  const handle = (query: Buffer, send: (answer: Buffer) => void) => {
    const question = packet.decode(query).questions?.[0]
    if (!question) return
    const name = question.name.toLowerCase()
    asked.push(`${question.type} ${name}`)
    const zone = [...zones.keys()].find((each) => name === each || name.endsWith(`.${each}`))
    if (zone !== undefined) return forward(zone, query, send)
    const found = find(name)
    if (found === 'SERVFAIL') return reply(query, send, [], 2)
    reply(query, send, found ? answersOf(question.name, question.type, found) : [], found || below(records, name) ? 0 : 3)
  }
  socket.on('message', (query, from) => handle(query, (answer) => socket.send(answer, from.port, from.address)))
  const connections = new Set<TcpSocket>()
  const server = createServer((connection) => {
    connections.add(connection)
    connection.on('error', () => undefined)
    connection.on('close', () => connections.delete(connection))
    let held = Buffer.alloc(0)
    connection.on('data', (chunk) => {
      held = Buffer.concat([held, chunk])
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const end = 2 + held.readUInt16BE(0)
        handle(held.subarray(2, end), (answer) => {
          const length = Buffer.alloc(2)
          length.writeUInt16BE(answer.length)
          connection.write(Buffer.concat([length, answer]))
        })
        held = held.subarray(end)
      }
    })
  })
  socket.bind(port, '127.0.0.1')
  server.listen(port, '127.0.0.1')
  await Promise.all([once(socket, 'listening'), once(server, 'listening')])

  const txt = (name: string): string[] => {
    const found = records.get(name)
    return found === undefined || found === 'SERVFAIL' ? [] : [...(found.TXT ?? [])]
  }
  return {
    host: '127.0.0.1',
    port,
    address: `127.0.0.1:${port}`,
    asked,
    set: (name, value) => void records.set(name, value),
    remove: (name) => void records.delete(name),
    addTxt: (name, value) => void records.set(name, { TXT: [...txt(name), value] }),
    removeTxt: (name, value) => void records.set(name, { TXT: txt(name).filter((each) => each !== value) }),
    txt,
    delegate: (zone, server) => {
      if (server === undefined) zones.delete(zone)
      else zones.set(zone, server)
    },
    close: async () => {
      for (const out of upstream) out.close()
      upstream.clear()
      const closed = [once(socket, 'close'), once(server, 'close')]
      for (const connection of connections) connection.destroy()
      socket.close()
      server.close()
      await Promise.all(closed)
    },
  }
}

const below = (records: ReadonlyMap<string, unknown>, name: string): boolean =>
  [...records.keys()].some((each) => each.endsWith(`.${name}`))

const answersOf = (name: string, type: string, found: DnsRecords): packet.Answer[] => {
  const ttl = 1
  const all: { readonly [T in RecordType]: packet.Answer[] } = {
    A: (found.A ?? []).map((data) => ({ type: 'A', name, ttl, data })),
    AAAA: (found.AAAA ?? []).map((data) => ({ type: 'AAAA', name, ttl, data })),
    CNAME: (found.CNAME ?? []).map((data) => ({ type: 'CNAME', name, ttl, data })),
    NS: (found.NS ?? []).map((data) => ({ type: 'NS', name, ttl, data })),
    TXT: (found.TXT ?? []).map((data) => ({ type: 'TXT', name, ttl, data })),
    CAA: (found.CAA ?? []).map(
      ({ flags = 0, tag, value }) => ({ type: 'CAA', name, ttl, data: { flags, tag, value } }) as packet.Answer,
    ),
    SOA: (found.SOA ?? []).map((soa) => ({
      type: 'SOA',
      name,
      ttl,
      data: { ...soa, serial: 1, refresh: 60, retry: 60, expire: 60, minimum: 1 },
    })),
  }
  return type in all ? all[type as RecordType] : []
}
