import { randomInt } from 'node:crypto'
import { ask } from '../../../lib/dns/ask.ts'
import { exchange } from '../../../lib/dns/exchange.ts'
import { denied, unavailable } from '../../../lib/dns/failure.ts'
import type { NameServer } from '../../../lib/dns/name-server.ts'
import { check, type Key, type Signed, sign } from './tsig.ts'
import { u16, wireName, wireRecord } from './wire.ts'

export interface Change {
  readonly do: 'add' | 'delete'
  readonly name: string
  readonly value: string
}
const txt = 16
/** Seconds that others may keep a value. */
const ttl = 30

/** One signed update over TCP (RFC 2136). Rejects with DNS_DENIED where the server does not take the key, else with DNS_UNAVAILABLE. */
export const update = async (server: NameServer, key: Key, change: Change, signal: AbortSignal): Promise<void> => {
  const zone = await zoneOf(server, change.name, signal)
  const signed = sign(messageOf(zone, change), key)
  const answer = await send(server, signed.message, signal)
  const at = `${server.host} port ${server.port}`
  const told = verdict(answer, key, signed)
  if (told.tsig === 18)
    throw denied(`${at} refuses the key '${key.name}': its clock and this one differ (BADTIME)`, 'set the clock of both machines')
  if (told.tsig === 16 || told.tsig === 17 || told.tsig === 22)
    throw denied(
      `${at} refuses the key '${key.name}' (${told.tsig === 16 ? 'BADSIG: the secret is another' : told.tsig === 17 ? 'BADKEY: it does not know it' : 'BADTRUNC'})`,
      'compare name, algorithm and secret of the key on both sides',
    )
  if (told.rcode === 5)
    throw denied(`${at} does not let the key '${key.name}' change ${change.name}`, 'allow it to update TXT there')
  if (told.rcode === 9 || told.rcode === 10)
    throw unavailable(`${at} is not the primary of the zone '${zone}'`, 'give the address of the primary name server as `server`')
  if (told.rcode !== 0) throw unavailable(`${at} did not make the update (response code ${told.rcode})`, 'see its log')
  if (told.tsig !== 'valid') throw unavailable(`${at} answered without a valid signature`, 'see whether something stands between')
}

const verdict = (answer: Buffer, key: Key, signed: Signed) => {
  try {
    return { rcode: answer.readUInt8(3) & 15, tsig: check(answer, key, signed) }
  } catch (error) {
    throw unavailable('the name server answers what is no DNS message', undefined, error)
  }
}

/** The zone that the name is in, by the SOA that the server itself gives. */
const zoneOf = async (server: NameServer, name: string, signal: AbortSignal): Promise<string> => {
  const { answers, authorities, rcode } = await ask(server, name, 'SOA', { over: 'tcp', signal, timeout: 5_000 })
  const soa = [...answers, ...authorities].find((record) => record.type === 'SOA')
  if (soa) return soa.name
  throw unavailable(
    `${server.host} port ${server.port} has no zone for ${name} (response code ${rcode})`,
    'give the address of the primary name server as `server`',
  )
}

/** RFC 2136 section 2: the zone as the question, no prerequisites, one update. A deletion names its value (section 2.5.4). */
const messageOf = (zone: string, { do: what, name, value }: Change): Buffer => {
  const data = Buffer.concat([Buffer.of(value.length), Buffer.from(value, 'latin1')])
  const one = what === 'add' ? { class: 1, ttl } : { class: 254, ttl: 0 }
  const opcode = 5 << 11
  const header = u16(randomInt(65_536), opcode, 1, 0, 1, 0)
  return Buffer.concat([header, wireName(zone), u16(6, 1), wireRecord({ name, type: txt, data, ...one })])
}

const send = async (server: NameServer, message: Buffer, signal: AbortSignal): Promise<Buffer> => {
  const { host, port } = server
  const answer = await exchange(server, message, signal).catch((error: Error) => {
    signal.throwIfAborted()
    throw unavailable(`${host} port ${port}: ${error.message}`, 'see whether the name server runs and is reachable from here')
  })
  if (answer.length >= 12 && answer.readUInt16BE(0) === message.readUInt16BE(0)) return answer
  throw unavailable(`${host} port ${port} answers something else`)
}
