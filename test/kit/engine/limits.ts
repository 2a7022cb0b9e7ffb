import { expect } from 'vitest'
import { echoWhole } from '../backends/http.ts'
import { http1 } from '../clients/h1.ts'
import { openTcp } from '../clients/socket.ts'
import { backend, becomes, type Cases } from './cases.ts'
import { defer } from './world.ts'

/** What a client may not take of the engine. Each limit is configured small; the rest is as everywhere. */
export const limits: Cases = {
  'refuses a request head that is too large, and serves others': async (open) => {
    const world = await open({ limits: { headerBytes: 8_192 } })
    const web = await backend('fine')
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    client.send(`GET / HTTP/1.1\r\nHost: a.test\r\n${`X-Long: ${'x'.repeat(1_000)}\r\n`.repeat(20)}\r\n`).catch(() => undefined)
    expect([431, 400]).toContain((await client.answer()).status)
    const long = await world.h1('a.test')
    long.send(`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a.test\r\n\r\n`).catch(() => undefined)
    expect([431, 414, 400]).toContain((await long.answer()).status)
    const two = await world.h2('a.test')
    const big = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`x-long-${at}`, 'x'.repeat(1_000)]))
    const status = await two.request({ headers: big }).then(
      (answer) => answer.status,
      () => 'reset',
    )
    expect([431, 400, 'reset']).toContain(status)
    expect(web.requests).toEqual([])
    expect((await world.get('a.test', '/', { 'X-Fits': 'x'.repeat(4_000) })).text).toBe('fine')
  },

  'closes a connection whose request head takes too long, and serves others meanwhile': async (open) => {
    const world = await open({ limits: { headerSeconds: 1 } })
    await world.set('1-1-a', 'a.test', [(await backend('fine')).url])
    const slow = await Promise.all(
      ['G', 'GET / HTTP/1.1\r\n', 'GET / HTTP/1.1\r\nHost: a.test\r\nX-A: '].map(async (part) => {
        const client = await world.h1('a.test')
        await client.send(part)
        return client
      }),
    )
    const plain = await world.plain()
    await plain.send('GET / HTTP/1.1\r\nHost: a.t')
    expect((await world.get('a.test')).text).toBe('fine')
    await Promise.all([...slow, plain].map(({ closed }) => closed))
    expect((await world.get('a.test')).text).toBe('fine')
  },

  'closes a connection that stays idle, on HTTP/1.1, HTTP/2 and plain HTTP': async (open) => {
    const world = await open({ limits: { idleSeconds: 1, headerSeconds: 1 } })
    await world.set('1-1-a', 'a.test', [(await backend('fine')).url])
    const [used, unused, plain, two] = await Promise.all([
      world.h1('a.test'),
      world.h1('a.test'),
      world.plain(),
      world.h2('a.test'),
    ])
    expect((await used.request('GET /', { Host: 'a.test' })).text).toBe('fine')
    expect((await two.request({ headers: {} })).text).toBe('fine')
    await Promise.all([used.closed, unused.closed, plain.closed, two.closed])
  },

  'does not call a connection idle while an answer is on its way': async (open) => {
    const world = await open({ limits: { idleSeconds: 1 } })
    const slow = await backend((_, response) => {
      response.write('a')
      setTimeout(() => response.end('b'), 2_500)
    })
    await world.set('1-1-a', 'a.test', [slow.url])
    const two = (await world.h2('a.test')).request({ headers: {} })
    expect((await world.get('a.test')).text).toBe('ab')
    expect((await two).text).toBe('ab')
  },

  'takes no more connections than allowed, and takes one again when one has ended': async (open) => {
    const world = await open({ limits: { connections: 4 } })
    await world.set('1-1-a', 'a.test', [(await backend('fine')).url])
    const clients = await Promise.all(Array.from({ length: 4 }, () => world.h1('a.test')))
    // Refused so early, some see it while they still connect.
    const extra = await openTcp({ port: world.where.https }).then(http1, () => undefined)
    if (extra) defer(extra.close)
    await extra?.closed
    for (const client of clients) expect((await client.request('GET /', { Host: 'a.test' })).text).toBe('fine')
    clients[0]?.close()
    await becomes(
      () =>
        world.get('a.test').then(
          ({ text }) => text,
          () => 'refused',
        ),
      'fine',
    )
  },

  'refuses a body that is too large': async (open) => {
    const world = await open({ limits: { bodyBytes: 10_000 } })
    const web = await backend(echoWhole)
    await world.set('1-1-a', 'a.test', [web.url])
    const declared = await world.h1('a.test')
    expect((await declared.request('POST /declared', { Host: 'a.test' }, 'x'.repeat(10_001))).status).toBe(413)
    expect(web.requests).toEqual([])
    const two = await world.h2('a.test')
    const big = two.request({ headers: { ':method': 'POST', 'content-length': '10001' }, body: 'x'.repeat(10_001) })
    expect((await big).status).toBe(413)
    expect((await (await world.h1('a.test')).request('POST /', { Host: 'a.test' }, 'x'.repeat(10_000))).status).toBe(200)
  },

  'breaks off a body of unknown length that grows too large': async (open) => {
    const world = await open({ limits: { bodyBytes: 10_000 } })
    const whole: string[] = []
    const web = await backend((request, response) => {
      request.resume()
      request.on('end', () => {
        whole.push('whole')
        response.end('took it')
      })
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    const chunk = `1000\r\n${'x'.repeat(0x1000)}\r\n`
    client
      .send(`POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(4)}0\r\n\r\n`)
      .catch(() => undefined)
    const status = await client.answer().then(
      (answer) => answer.status,
      () => 0,
    )
    expect([413, 0]).toContain(status)
    expect(whole).toEqual([])
  },
}
