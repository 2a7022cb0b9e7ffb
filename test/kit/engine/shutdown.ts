import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect } from 'vitest'
import { echoWebSocket } from '../backends/websocket.ts'
import { openTls } from '../clients/socket.ts'
import { openWebSocket } from '../clients/ws.ts'
import { backend, type Cases, signal } from './cases.ts'
import { defer } from './world.ts'

/** What the end of the gateway, as after SIGTERM, does to those who are there. */
export const shutdown: Cases = {
  'finishes the requests that run, and tells HTTP/1.1 clients that it closes': async (open) => {
    const world = await open({ drain: 30 })
    const { came, go, web } = await slowBackend()
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    const answer = client.request('GET /', { Host: 'a.test' })
    await came.happened
    const other = await world.h2('a.test')
    const closed = world.close()
    // Only then is the engine sure to know.
    await other.goaway
    go.happen()
    const { status, text, header } = await answer
    expect([status, text, header('connection')]).toEqual([200, 'whole', 'close'])
    expect(await client.closed).toBe('end')
    await closed
  },

  'finishes the streams that run, and says GOAWAY to HTTP/2 clients': async (open) => {
    const world = await open({ drain: 30 })
    const { came, go, web } = await slowBackend()
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h2('a.test')
    const answer = client.request({ headers: {} })
    await came.happened
    const closed = world.close()
    expect(await client.goaway).toBe(0)
    go.happen()
    expect((await answer).text).toBe('whole')
    await closed
    await client.closed
  },

  'ends idle connections without a reset, those never used too, before the deadline': async (open) => {
    const world = await open({ drain: 30, limits: { headerSeconds: 120, idleSeconds: 120 } })
    await world.set('1-1-a', 'a.test', [(await backend('hello')).url])
    const [one, plain, two] = [await world.h1('a.test'), await world.plain(), await world.h2('a.test')]
    await one.request('GET /', { Host: 'a.test' })
    await plain.request('GET /', { Host: 'a.test' })
    await two.request({ headers: {} })
    const unused = [await world.h1('a.test'), await world.plain()]
    const began = performance.now()
    await world.close()
    expect(performance.now() - began).toBeLessThan(30_000)
    expect(await Promise.all([one, plain, ...unused].map(({ closed }) => closed))).toEqual(['end', 'end', 'end', 'end'])
    expect(await two.goaway).toBe(0)
    await two.closed
  },

  'cuts at the deadline what will not end': async (open) => {
    const world = await open({ drain: 1 })
    const web = await backend((_, response) => response.write('for ever'), { upgrade: echoWebSocket })
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    const begun = signal()
    const answer = client.request('GET /', { Host: 'a.test' }, undefined, { started: () => begun.happen() })
    answer.catch(() => undefined)
    await begun.happened
    const socket = await openWebSocket(
      await openTls({ port: world.where.https }, { name: 'a.test', ca: world.authority.root }),
      'a.test',
    )
    defer(socket.close)
    await world.close()
    await expect(answer).rejects.toThrow('closed')
    await socket.http.closed
  },

  'gives its ports back, and is there again after a restart': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend('hello')).url])
    await world.get('a.test')
    await world.close()
    for (const port of [world.where.http, world.where.https]) {
      const server = createServer().listen(port, '127.0.0.1')
      await once(server, 'listening')
      server.close()
      await once(server, 'close')
    }
    await world.restart()
    expect((await world.get('a.test')).text).toBe('hello')
  },
}

/** A backend that tells that a request `came`, and answers it once it is told to `go`. */
const slowBackend = async () => {
  const [came, go] = [signal(), signal()]
  const web = await backend(async (_, response) => {
    came.happen()
    await go.happened
    response.end('whole')
  })
  return { came, go, web }
}
