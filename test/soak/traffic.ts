import { setTimeout as pause } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { createClient } from '../../lib/zbus/index.ts'
import { type HttpBackend, http1, http2, openTls, openWebSocket, type Tls } from '../kit/index.ts'

export interface Stand {
  readonly broker: string
  readonly api: number
  readonly https: number
  readonly ca: () => string
  readonly plain: HttpBackend
  /** Ends TLS itself, for `pass.gw.localhost`. */
  readonly secret: HttpBackend
  readonly secretCa: string
}
export interface Counts {
  readonly done: Record<string, number>
  readonly failed: string[]
  /** Handshakes that were not done in the time that the gateway gives them, and were begun again: no request was on them. */
  late: number
}
type Dial = (port: number, tls: Tls) => Promise<TLSSocket>
type Work = (stand: Stand, n: number, dial: Dial) => Promise<void>

/** What `limits.handshakeSeconds` is by default, less what the clocks of two busy processes may differ. */
const handshakeTime = 4_500
/** Opens a connection, another where the handshake took too long; what goes wrong sooner is a failure, and so is all that comes behind it. */
const dialling =
  (late: () => void): Dial =>
  async (port, tls) => {
    for (;;) {
      const began = performance.now()
      const opened = await openTls({ port }, tls).catch((error: unknown) => String(error))
      const took = performance.now() - began
      if (took >= handshakeTime) {
        late()
        if (typeof opened !== 'string') opened.destroy()
      } else if (typeof opened === 'string') throw new Error(`no connection after ${Math.round(took)} ms: ${opened}`)
      else return opened
    }
  }

const host = 'steady.gw.localhost'
const json = { 'content-type': 'application/json' }
const put = async ({ api }: Stand, id: string, body: object) => {
  const answer = await fetch(`http://127.0.0.1:${api}/v1/workloads/${id}`, {
    method: 'PUT',
    headers: json,
    body: JSON.stringify(body),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`PUT ${id}: ${answer.status} ${text}`)
}
const expectText = (got: string, wanted: string) => {
  if (got !== wanted) throw new Error(`answered ${got.slice(0, 80)}`)
}

/** What goes on all the time, each in a loop of its own; a round opens what it needs and closes it. */
export const works: Readonly<Record<string, Work>> = {
  'Set, change and Delete over HTTP': async (stand, n) => {
    const id = `20-${n % 50}-http`
    const name = `http${n % 50}`
    await put(stand, id, { name, backends: [stand.plain.url] })
    await put(stand, id, { name, backends: [stand.plain.url, 'http://127.0.0.1:9'] })
    const answer = await fetch(`http://127.0.0.1:${stand.api}/v1/workloads/${id}`, { method: 'DELETE' })
    if (!answer.ok) throw new Error(`DELETE: ${answer.status}`)
  },
  'requests over HTTP/1.1': async ({ https, ca }, n, dial) => {
    const client = http1(await dial(https, { name: host, ca: ca() }))
    try {
      for (let at = 0; at < 20; at++)
        expectText((await client.request(`POST /${n}`, { Host: host }, 'x'.repeat(at * 500))).text, 'steady')
    } finally {
      client.close()
    }
  },
  'requests over HTTP/2': async ({ https, ca }, _, dial) => {
    const socket = await dial(https, { name: host, ca: ca(), alpn: ['h2'] })
    const client = await http2(socket, host)
    try {
      const answers = await Promise.all(Array.from({ length: 20 }, () => client.request({ headers: {} })))
      for (const { text } of answers) expectText(text, 'steady')
    } finally {
      client.close()
    }
  },
  'frames over WebSocket': async ({ https, ca }, _, dial) => {
    const client = await openWebSocket(await dial(https, { name: host, ca: ca() }), host)
    try {
      for (let at = 0; at < 20; at++) {
        await client.send('ping')
        expectText((await client.next()).data.toString(), 'ping')
      }
    } finally {
      client.close()
    }
  },
  'requests passed through': async ({ https, secretCa }, _, dial) => {
    const name = 'pass.gw.localhost'
    const client = http1(await dial(https, { name, ca: secretCa }))
    try {
      expectText((await client.request('GET /', { Host: name })).text, 'secret')
    } finally {
      client.close()
    }
  },
  'connections that say nothing, and leave': async ({ https, ca }, _, dial) => {
    const socket = await dial(https, { name: host, ca: ca() })
    socket.destroy()
  },
}

/** Runs all of them until `signal`; counts what was done, and keeps what failed. */
export const traffic = async (stand: Stand, signal: AbortSignal): Promise<Counts> => {
  const counts: Counts = { done: {}, failed: [], late: 0 }
  const dial = dialling(() => {
    counts.late++
  })
  const loop = async (name: string, work: (n: number) => Promise<void>) => {
    for (let n = 0; !signal.aborted; n++) {
      try {
        await work(n)
        counts.done[name] = (counts.done[name] ?? 0) + 1
      } catch (error) {
        if (counts.failed.length < 100) counts.failed.push(`${name}: ${error}`)
      }
      await pause(20)
    }
  }
  const zbus = createClient({ broker: stand.broker })
  const object = { name: 'gateway', version: '0.0.1' }
  const call = (method: string, ...args: unknown[]) => zbus.call('gateway', object, method, args, { timeout: 60_000 })
  const overZbus = async (n: number) => {
    const id = `30-${n % 50}-zbus`
    const name = `zbus${n % 50}`
    await call('SetNamedProxy', id, name, [stand.plain.url], false)
    await call('SetNamedProxy', id, name, ['http://127.0.0.1:9'], false)
    await call('DeleteNamedProxy', id)
    await call('Metrics')
  }
  await put(stand, '1-1-steady', { name: 'steady', backends: [stand.plain.url] })
  await put(stand, '1-2-pass', { name: 'pass', passthrough: true, backends: [stand.secret.address] })
  await Promise.all([
    loop('Set, change and Delete over zbus', overZbus),
    ...Object.entries(works).map(([name, work]) => loop(name, (n) => work(stand, n, dial))),
  ])
  zbus.close()
  return counts
}
