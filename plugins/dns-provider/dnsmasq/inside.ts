import { connect } from 'node:net'
import { join } from 'node:path'
import { type Supervisor, version } from '../../../core/index.ts'
import { ask } from '../../../lib/dns/ask.ts'
import { listOf, member } from '../../../lib/dns/call.ts'
import type { NameServer } from '../../../lib/dns/name-server.ts'
import { textsOf } from '../../../lib/dns/reply.ts'
import { nodeProgram } from '../../../lib/node-program.ts'

interface Looking {
  readonly server: NameServer
  readonly name: string
  readonly type: 'TXT' | 'SOA'
  readonly over: 'udp' | 'tcp'
  /** Milliseconds. */
  readonly timeout: number
}
interface Seen {
  readonly authoritative: boolean
  readonly truncated: boolean
  readonly texts: readonly string[]
}
/** What a name server answers to one question; rejects where it does not. */
export type Look = (looking: Looking, signal: AbortSignal) => Promise<Seen>

export const lookHere: Look = async ({ server, name, type, over, timeout }, signal) => {
  const reply = await ask(server, name, type, { over, timeout, signal })
  return { authoritative: reply.authoritative, truncated: reply.truncated, texts: textsOf(reply) }
}

/** Looks from another network namespace, through a process in there: this one cannot enter it. */
export const openInside = async (o: { supervisor: Supervisor; netns: string; folder: string }) => {
  const path = join(o.folder, 'look')
  const service = await o.supervisor.run({
    name: 'dnsmasq-look',
    command: process.execPath,
    args: [...nodeProgram(import.meta.url, 'inside-main'), path],
    netns: o.netns,
    revision: version,
    probe: (signal) => call(path, null, signal).then(() => true),
  })
  const look: Look = async (looking, signal) => {
    const through = AbortSignal.any([signal, AbortSignal.timeout(looking.timeout + 1_000)])
    const said = await call(path, looking, through)
    const failed = member(said, 'failed')
    if (failed !== undefined) throw new Error(String(failed))
    const texts = listOf(member(said, 'texts')).map(String)
    return { authoritative: member(said, 'authoritative') === true, truncated: member(said, 'truncated') === true, texts }
  }
  return { look, close: () => service.release() }
}

/** One question a connection, one answer, both a line of JSON. */
const call = (path: string, question: unknown, signal: AbortSignal) =>
  new Promise<unknown>((resolve, reject) => {
    const socket = connect({ path, signal }, () => socket.write(`${JSON.stringify(question)}\n`))
    let said = ''
    socket.setEncoding('utf8')
    socket.on('data', (text) => {
      said += text
    })
    socket.on('error', reject)
    socket.on('close', () => {
      try {
        resolve(JSON.parse(said))
      } catch {
        reject(new Error('the process in the network namespace did not answer'))
      }
    })
  })
