import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'vitest'
import { echoWebSocket } from '../kit/backends/websocket.ts'
import { openTls } from '../kit/clients/socket.ts'
import { openWebSocket } from '../kit/clients/ws.ts'
import { backend, signal } from '../kit/engine/cases.ts'
import { defer, type World } from '../kit/engine/world.ts'
import { engines } from './engines.ts'
import { faultOn } from './fault.ts'

/** Requests on one open connection, over and over, until it is told to close; says how many were answered, and rejects with the first that was not. */
const keptAlive = async (world: World, told: () => void) => {
  const client = await world.h1('a.test')
  for (let served = 1; ; served++) {
    const { status, text, header } = await client.request('GET /', { Host: 'a.test' })
    if (status !== 200 || text !== 'fine') throw new Error(`answered ${status} ${text}`)
    told()
    if (header('connection') === 'close') return served
    await wait(5)
  }
}
/** The same over HTTP/2, many at a time, until GOAWAY. */
const streams = async (world: World, told: () => void) => {
  const client = await world.h2('a.test')
  let leaving = false
  client.goaway.then(
    () => {
      leaving = true
    },
    () => undefined,
  )
  for (let served = 0; ; served += 4) {
    if (leaving) return served
    const answers = await Promise.all(Array.from({ length: 4 }, () => client.request({ headers: {} })))
    if (answers.some(({ text }) => text !== 'fine')) throw new Error('another answer')
    told()
    await wait(5)
  }
}

faultOn(
  34,
  'a stop under load fails no request: open connections are told, an upload, a download and a WebSocket go on to their end',
  { embedded: engines.embedded },
  async (open) => {
    const world = await open({ drain: 30 })
    const [begun, uploaded] = [signal(), signal()]
    const web = await backend(
      (request, response) => {
        if (request.url === '/download') {
          response.write('first')
          uploaded.happened.then(() => response.end('last'))
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
    await world.set('1-1-a', 'a.test', [web.url])
    let served = 0
    const enough = signal()
    const told = () => {
      served++
      if (served > 100) enough.happen()
    }
    const load = Promise.all([
      ...Array.from({ length: 4 }, () => keptAlive(world, told)),
      streams(world, told),
      streams(world, told),
    ])
    const [up, down] = [await world.h1('a.test'), await world.h1('a.test')]
    const socket = await openWebSocket(
      await openTls({ port: world.where.https }, { name: 'a.test', ca: world.authority.root }),
      'a.test',
    )
    defer(socket.close)
    await up.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nfirst')
    const upload = up.answer()
    const started = signal()
    const download = down.request('GET /download', { Host: 'a.test' }, undefined, { started: () => started.happen() })
    await Promise.all([begun.happened, started.happened, enough.happened])
    const closed = world.close()
    expect((await load).every((count) => count > 0)).toBe(true)
    await up.send('after')
    expect((await upload).text).toBe('10')
    uploaded.happen()
    expect((await download).text).toBe('firstlast')
    await socket.send('still here')
    expect((await socket.next()).data.toString()).toBe('still here')
    socket.close()
    await closed
  },
)
