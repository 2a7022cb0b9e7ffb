import { expect } from 'vitest'
import { readHead } from '../backends/raw.ts'
import { frameType, openFrames } from '../clients/h2-frames.ts'
import { badBodies, badHeads, badTargets } from './bad-requests.ts'
import { badStreams } from './bad-streams.ts'
import { backend, bytesBackend, type Cases, signal } from './cases.ts'
import { defer, type World } from './world.ts'

const next = 'GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n'

/** Milliseconds until a connection that should have been ended counts as left open. */
const patience = 3_000

/** Every answer up to the end of the connection: what the engine took the bytes for. 0: it went on waiting. */
const answersTo = async (world: World, bytes: string) => {
  const client = await world.h1('a.test')
  client.send(bytes).catch(() => undefined)
  const statuses: number[] = []
  const timer = setTimeout(() => {
    statuses.push(0)
    client.close()
  }, patience)
  for (;;) {
    const answer = await client.answer().catch(() => undefined)
    if (answer === undefined) break
    if (answer.status >= 200) statuses.push(answer.status)
  }
  clearTimeout(timer)
  client.close()
  return statuses
}

/** A backend that notes every head that reaches it and answers it. */
const noting = async () => {
  const heads: string[][] = []
  const raw = await bytesBackend(async (connection) => {
    for (;;) {
      heads.push(await readHead(connection))
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    }
  })
  return { url: raw.url, heads }
}

/** Requests that no backend may see, and hosts that are not the connection's. */
export const refusals: Cases = {
  'answers 421 where SNI and Host disagree': async (open) => {
    const world = await open()
    const [one, two] = [await backend('one'), await backend('two')]
    await world.set('1-1-a', 'one.wild.test', [one.url])
    await world.set('1-1-b', 'two.wild.test', [two.url])
    const client = await world.h1('one.wild.test')
    expect((await client.request('GET /', { Host: 'two.wild.test' })).status).toBe(421)
    expect(two.requests).toEqual([])
    expect((await world.get('one.wild.test')).text).toBe('one')
  },

  'answers 421 to an HTTP/2 client that coalesces hosts, and goes on serving its own': async (open) => {
    const world = await open()
    const [one, two] = [await backend('one'), await backend('two')]
    await world.set('1-1-a', 'one.wild.test', [one.url])
    await world.set('1-1-b', 'two.wild.test', [two.url])
    const client = await world.h2('one.wild.test')
    expect((await client.request({ headers: { ':authority': 'two.wild.test' } })).status).toBe(421)
    expect((await client.request({ headers: { ':authority': 'one.wild.test' } })).text).toBe('one')
    expect(two.requests).toEqual([])
  },

  'refuses request heads that two servers could read in two ways; the backend sees nothing': async (open) => {
    const world = await open()
    const { url, heads } = await noting()
    await world.set('1-1-a', 'a.test', [url])
    const wrong: unknown[] = []
    for (const [shape, bytes] of Object.entries(badHeads)) {
      const statuses = await answersTo(world, bytes + next)
      const refused = statuses.length <= 1 && statuses.every((status) => [400, 404, 405, 421, 501, 505].includes(status))
      const came = heads.splice(0)
      if (!refused || came.length > 0) wrong.push([shape, statuses, came])
    }
    expect(wrong).toEqual([])
    expect((await world.get('a.test')).text).toBe('ok')
  },

  'refuses requests without one plain target, CONNECT and TRACE; the backend sees nothing': async (open) => {
    const world = await open()
    const { url, heads } = await noting()
    await world.set('1-1-a', 'a.test', [url])
    const wrong: unknown[] = []
    for (const [shape, bytes] of Object.entries(badTargets)) {
      const client = await world.h1('a.test')
      await client.send(bytes)
      const status = await client.answer().then(
        (answer) => answer.status,
        () => 0,
      )
      client.close()
      const came = heads.splice(0)
      if (![0, 400, 404, 405, 421, 501].includes(status) || came.length > 0) wrong.push([shape, status, came])
    }
    expect(wrong).toEqual([])
    expect((await world.get('a.test')).text).toBe('ok')
  },

  'breaks off requests whose chunks are broken; nothing behind them is served': async (open) => {
    const world = await open()
    const whole: string[] = []
    const web = await backend((request, response) => {
      request.resume()
      request.on('end', () => {
        whole.push(String(request.url))
        response.end('ok')
      })
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const wrong: unknown[] = []
    for (const [shape, body] of Object.entries(badBodies)) {
      const head = 'POST /broken HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n'
      const statuses = await answersTo(world, head + body + next)
      const came = whole.splice(0)
      if (statuses.some((status) => status < 400) || came.length > 0) wrong.push([shape, statuses, came])
    }
    expect(wrong).toEqual([])
    expect((await world.get('a.test')).text).toBe('ok')
  },

  'refuses HTTP/2 streams that would be something else in HTTP/1.1; the backend sees nothing': async (open) => {
    const world = await open()
    const { url, heads } = await noting()
    await world.set('1-1-a', 'a.test', [url])
    const wrong: unknown[] = []
    for (const [shape, { fields, body, without }] of Object.entries(badStreams)) {
      const client = await openFrames({ port: world.where.https }, { name: 'a.test', ca: world.authority.root })
      defer(client.close)
      await client.headers(1, fields, body === undefined)
      if (body !== undefined) await client.send(frameType.data, 1, 1, Buffer.from(body))
      const outcome = await client.outcome(1)
      client.close()
      const came = heads.splice(0).flat()
      const bad = without === undefined ? came : came.filter((line) => without.test(line))
      if (bad.length > 0 || (without === undefined && outcome === 'ok')) wrong.push([shape, outcome, bad])
    }
    expect(wrong).toEqual([])
    expect((await world.get('a.test')).text).toBe('ok')
  },

  'writes no refusal into the middle of an answer': async (open) => {
    const world = await open()
    const go = signal()
    const web = await backend(async (request, response) => {
      if (request.url !== '/held') return response.end('ok')
      response.writeHead(200, { 'Content-Length': 100_000 })
      response.write('x'.repeat(50_000))
      await go.happened
      response.end('x'.repeat(50_000))
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    const begun = signal()
    let body = ''
    const sink = (chunk: Buffer) => {
      body += chunk
      begun.happen()
    }
    const answer = client.request('GET /held', { Host: 'a.test' }, undefined, { sink }).then(
      () => 'whole',
      () => 'cut',
    )
    await begun.happened
    await client.send('no request at all\r\n\r\n')
    // By the time of this answer the engine has seen the noise.
    expect((await world.get('a.test')).text).toBe('ok')
    go.happen()
    await answer
    expect(body).toMatch(/^x+$/)
  },

  'gives no client the answer to another, whatever the backend says unasked': async (open) => {
    const world = await open()
    const raw = await bytesBackend(async (connection) => {
      const [line] = await readHead(connection)
      const own = `HTTP/1.1 200 OK\r\nContent-Length: ${line?.length}\r\n\r\n${line}`
      await connection.send(`${own}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`)
      await connection.closed
    })
    await world.set('1-1-a', 'a.test', [raw.url])
    for (let count = 0; count < 12; count++) {
      expect((await world.get('a.test', `/${count}`)).text).toBe(`GET /${count} HTTP/1.1`)
    }
  },

  'gives no client the rest of a body that the backend did not read': async (open) => {
    const world = await open()
    const seen: string[] = []
    const raw = await bytesBackend(async (connection) => {
      for (;;) {
        const [line = ''] = await readHead(connection)
        seen.push(line)
        await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly')
      }
    })
    await world.set('1-1-a', 'a.test', [raw.url])
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n'
    const client = await world.h1('a.test')
    await client.send(`POST /first HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${smuggled.length + 100}\r\n\r\n`)
    expect((await client.answer()).text).toBe('early')
    client.close()
    for (let count = 0; count < 5; count++) expect((await world.get('a.test', `/${count}`)).text).toBe('early')
    expect(seen).toEqual(['POST /first HTTP/1.1', ...[0, 1, 2, 3, 4].map((count) => `GET /${count} HTTP/1.1`)])
  },
}
