import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'vitest'
import { echoWebSocket } from '../kit/backends/websocket.ts'
import { http1 } from '../kit/clients/h1.ts'
import { frameType, openFrames } from '../kit/clients/h2-frames.ts'
import { openTls } from '../kit/clients/socket.ts'
import { openWebSocket } from '../kit/clients/ws.ts'
import { backend, eventually, signal } from '../kit/engine/cases.ts'
import { defer } from '../kit/engine/world.ts'
import { domain } from '../torture/operation.ts'
import { faultOn } from './fault.ts'
import { processStand } from './process-stand.ts'

const host = `a.${domain}`
type Stand = Awaited<ReturnType<typeof processStand>>

/** Many clients on connections that are kept open, each until it is told to leave or the load is over. */
const load = async ({ https }: Stand) => {
  let [answered, over] = [0, false]
  const answer = (text: string, status: number | undefined) => {
    if (status !== 200 || text !== 'fine') throw new Error(`answered ${status} ${text}`)
    answered++
  }
  const open = () => openTls({ port: https }, { name: host })
  /** Says whether it was told. */
  const keptAlive = async () => {
    const client = http1(await open())
    defer(() => client.close())
    while (!over) {
      const { status, text, header } = await client.request('GET /', { Host: host })
      answer(text, status)
      if (header('connection') === 'close') return true
      await wait(5)
    }
    return false
  }
  // Frame by frame: Node's own client refuses, by itself, requests that it had not sent yet when GOAWAY came.
  const streams = async () => {
    const client = await openFrames({ port: https }, { name: host })
    defer(client.close)
    const fields = { ':method': 'GET', ':scheme': 'https', ':authority': host, ':path': '/' }
    let leaving = false
    for (let first = 1; !over && !leaving; first += 8) {
      const texts = new Map([0, 2, 4, 6].map((more) => [first + more, '']))
      for (const id of texts.keys()) await client.headers(id, Object.entries(fields), true)
      while (texts.size > 0) {
        const { type, flags, stream, payload } = await client.next()
        leaving ||= type === frameType.goaway
        if (type === frameType.reset) throw new Error(`stream ${stream} was reset: ${payload.readUInt32BE(0)}`)
        if (type === frameType.data) texts.set(stream, texts.get(stream) + payload.toString())
        if ((type !== frameType.data && type !== frameType.headers) || (flags & 1) === 0) continue
        answer(texts.get(stream) ?? '', 200)
        texts.delete(stream)
      }
      await wait(5)
    }
    return leaving
  }
  const told = Promise.all([...Array.from({ length: 4 }, keptAlive), streams(), streams()])
  told.catch(() => undefined)
  return {
    /** Resolves when so many more requests were answered; rejects where one failed. */
    more: (count: number) => {
      const enough = answered + count
      return Promise.race([told, eventually(() => expect(answered).toBeGreaterThan(enough))])
    },
    /** Whether each was told to leave, once all have left; rejects where a request failed. */
    told,
    end: () => {
      over = true
      return told
    },
  }
}

/** An upload, a download and a WebSocket that have begun, and how each is brought to its end. */
const longOnes = async ({ https, put }: Stand) => {
  const [begun, started, go] = [signal(), signal(), signal()]
  const web = await backend(
    (request, response) => {
      if (request.url === '/download') {
        response.write('first')
        go.happened.then(() => response.end('last'))
      } else if (request.method === 'POST') {
        request.once('data', () => begun.happen())
        let bytes = 0
        request.on('data', (chunk: Buffer) => {
          bytes += chunk.length
        })
        request.on('end', () => response.end(String(bytes)))
      } else response.end('fine')
    },
    { upgrade: echoWebSocket },
  )
  await put('1-1-a', 'a', web.url)
  const open = () => openTls({ port: https }, { name: host })
  const [up, down, socket] = [http1(await open()), http1(await open()), await openWebSocket(await open(), host)]
  defer(() => [up, down, socket].map((one) => one.close()))
  await up.send(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 10\r\n\r\nfirst`)
  const upload = up.answer()
  const download = down.request('GET /download', { Host: host }, undefined, { started: () => started.happen() })
  await Promise.all([begun.happened, started.happened])
  return async () => {
    await up.send('after')
    expect((await upload).text).toBe('10')
    go.happen()
    expect((await download).text).toBe('firstlast')
    await socket.send('still here')
    expect((await socket.next()).data.toString()).toBe('still here')
    socket.close()
  }
}

/** A gateway that was sent SIGTERM while all this goes on; `end` has the long ones come to theirs. */
const stoppedUnderLoad = async (engine: Parameters<typeof processStand>[0]) => {
  const at = await processStand(engine)
  const gateway = at.start()
  await gateway.until('is up')
  const end = await longOnes(at)
  const clients = await load(at)
  await clients.more(100)
  gateway.signal('SIGTERM')
  return { at, gateway, end, clients }
}

faultOn(
  34,
  'a stop (SIGTERM) under load fails no request: open connections are told, an upload, a download and a WebSocket go on to their end',
  { embedded: 'embedded' } as const,
  async (engine) => {
    const { gateway, end, clients } = await stoppedUnderLoad(engine)
    expect(await clients.told).toEqual(Array(6).fill(true))
    await end()
    expect(await gateway.ended).toBe(0)
  },
)

faultOn(
  34,
  'a stop (SIGTERM) under load and the next start are noticed by nobody where a process of its own carries the traffic',
  { traefik: 'traefik' } as const,
  async (engine) => {
    const { at, gateway, end, clients } = await stoppedUnderLoad(engine)
    expect(await gateway.ended).toBe(0)
    await clients.more(100)
    const again = at.start()
    await again.until('is up')
    await at.put('1-2-b', 'b', 'http://127.0.0.1:9000')
    await end()
    await clients.more(100)
    expect(await clients.end()).toEqual(Array(6).fill(false))
  },
)
