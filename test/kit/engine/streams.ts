import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { expect } from 'vitest'
import { echoBody } from '../backends/http.ts'
import { readAnswer2 } from '../clients/h2.ts'
import { backend, becomes, type Cases, signal } from './cases.ts'

const mebibyte = 1 << 20
const size = 64 * mebibyte

/** Bodies: how they are framed, that they flow, and that every byte arrives. */
export const streams: Cases = {
  'keeps Content-Length both ways': async (open) => {
    const world = await open()
    const web = await backend((request, response) => {
      request.resume()
      request.on('end', () => response.writeHead(200, { 'Content-Length': 3 }).end('abc'))
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const answer = await (await world.h1('a.test')).request('POST /', { Host: 'a.test' }, '12345')
    expect([answer.header('content-length'), answer.header('transfer-encoding'), answer.text]).toEqual(['3', undefined, 'abc'])
    const [seen] = web.requests
    expect([seen?.header('content-length'), seen?.header('transfer-encoding')]).toEqual(['5', undefined])
  },

  'keeps chunked bodies both ways': async (open) => {
    const world = await open()
    const web = await backend(echoBody)
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    await client.send('POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n')
    const answer = await client.answer()
    expect([answer.status, answer.text, answer.header('content-length')]).toEqual([200, 'abcde', undefined])
    expect(web.requests[0]?.header('content-length')).toBeUndefined()
  },

  'passes an answer on while it is being written': async (open) => {
    const world = await open()
    const go = signal()
    const web = await backend(async (_, response) => {
      response.write('first')
      await go.happened
      response.end('last')
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const first = signal()
    const client = await world.h1('a.test')
    let text = ''
    const sink = (chunk: Buffer) => {
      text += chunk
      if (text === 'first') first.happen()
    }
    const answer = client.request('GET /', { Host: 'a.test' }, undefined, { sink })
    await first.happened
    go.happen()
    await answer
    expect(text).toBe('firstlast')
  },

  'passes the head of an answer on before its body begins': async (open) => {
    const world = await open()
    const go = signal()
    const web = await backend(async (_, response) => {
      response.flushHeaders()
      await go.happened
      response.end('body')
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const stream = (await world.h2('a.test')).open({ accept: 'text/event-stream' })
    const answer = readAnswer2(stream)
    await new Promise((done) => stream.once('response', done))
    go.happen()
    expect((await answer).text).toBe('body')
  },

  'passes a request on while it is being sent, on HTTP/1.1': async (open) => {
    const world = await open()
    const first = signal<string>()
    const web = await backend((request, response) => {
      request.once('data', (chunk) => first.happen(String(chunk)))
      request.pipe(response)
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    await client.send('POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n')
    expect(await first.happened).toBe('first')
    await client.send('4\r\nlast\r\n0\r\n\r\n')
    expect((await client.answer()).text).toBe('firstlast')
  },

  'passes both directions on at once, on HTTP/2': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend(echoBody)).url])
    const stream = (await world.h2('a.test')).open({ ':method': 'POST' })
    for (const word of ['one', 'two', 'three']) {
      const back = new Promise((done) => stream.once('data', done))
      stream.write(word)
      expect(String(await back)).toBe(word)
    }
    stream.end()
    await new Promise((done) => stream.once('end', done))
  },

  'carries 64 MiB both ways unchanged, on HTTP/1.1': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend(echoBody)).url])
    const client = await world.h1('a.test')
    const [sent, got] = [createHash('sha256'), createHash('sha256')]
    await client.send(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${size}\r\n\r\n`)
    const answer = client.answer({ sink: (chunk) => got.update(chunk) })
    for (let left = size; left > 0; left -= mebibyte) {
      const piece = randomBytes(mebibyte)
      sent.update(piece)
      await client.send(piece)
    }
    expect((await answer).status).toBe(200)
    expect(got.digest('hex')).toBe(sent.digest('hex'))
  },

  'carries 64 MiB both ways unchanged, on HTTP/2': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend(echoBody)).url])
    const stream = (await world.h2('a.test')).open({ ':method': 'POST' })
    const [sent, got] = [createHash('sha256'), createHash('sha256')]
    const answer = readAnswer2(stream, (chunk) => got.update(chunk))
    for (let left = size; left > 0; left -= mebibyte) {
      const piece = randomBytes(mebibyte)
      sent.update(piece)
      await new Promise((done) => stream.write(piece, done))
    }
    stream.end()
    expect((await answer).status).toBe(200)
    expect(got.digest('hex')).toBe(sent.digest('hex'))
  },

  'holds a fast backend back for a slow client': async (open) => {
    const world = await open()
    let written = 0
    const stalled = signal()
    const web = await backend((_, response) => {
      const more = () => {
        for (let open = true; open && written < 4 * size; written += mebibyte) open = response.write(Buffer.alloc(mebibyte))
        if (written < 4 * size) response.once('drain', more)
        else response.end()
      }
      more()
      const watch = setInterval(check, 300)
      let last = -1
      function check() {
        if (written === last) {
          clearInterval(watch)
          stalled.happen()
        }
        last = written
      }
      response.once('close', () => clearInterval(watch))
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    client.socket.pause()
    await client.send('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')
    client.socket.pause()
    await stalled.happened
    expect(written).toBeLessThan(4 * size)
  },

  'passes trailers on, of requests and of answers': async (open) => {
    const world = await open()
    const web = await backend((request, response) => {
      response.writeHead(200, { Trailer: 'X-End' })
      request.resume()
      request.on('end', () => {
        response.addTrailers({ 'X-End': String(request.trailers['x-sum']) })
        response.end('body')
      })
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const one = await world.h1('a.test')
    const head =
      'POST / HTTP/1.1\r\nHost: a.test\r\nTE: trailers\r\nConnection: TE\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n'
    await one.send(`${head}1\r\na\r\n0\r\nX-Sum: 42\r\n\r\n`)
    const answer = await one.answer()
    expect([answer.text, answer.trailers]).toEqual(['body', [['X-End', '42']]])
    const two = await world.h2('a.test')
    const headers = { ':method': 'POST', te: 'trailers', trailer: 'x-sum' }
    const { trailers } = await two.request({ headers, body: 'a', trailers: { 'x-sum': '43' } })
    expect(trailers['x-end']).toBe('43')
  },

  'answers Expect: 100-continue before the body is sent': async (open) => {
    const world = await open()
    const expecting = await backend(echoBody, {
      expect: (request, response) => {
        response.writeContinue()
        request.pipe(response)
      },
    })
    await world.set('1-1-a', 'a.test', [expecting.url])
    const client = await world.h1('a.test')
    for (let round = 0; round < 2; round++) {
      await client.send('PUT / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n')
      expect((await client.answer()).status).toBe(100)
      await client.send('body')
      let answer = await client.answer()
      // A proxy may say it for itself and again for the backend (RFC 9110 section 15.2: one or more).
      while (answer.status === 100) answer = await client.answer()
      expect([answer.status, answer.text]).toEqual([200, 'body'])
    }
  },

  'passes an early answer on while the request is still being sent': async (open) => {
    const world = await open()
    const web = await backend((request, response) => {
      const refuse = () => response.writeHead(413, { Connection: 'close' }).end('too much')
      if (request.method === 'GET') refuse()
      // Not before some of the body is there: the engine waits for more of it when the answer comes.
      else request.once('data', refuse)
    })
    await world.set('1-1-a', 'a.test', [web.url])
    for (let round = 0; round < 5; round++) {
      const client = await world.h1('a.test')
      await client.send('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\nthe beginning')
      const answer = await client.answer()
      expect([answer.status, answer.text]).toEqual([413, 'too much'])
    }
    expect((await world.get('a.test')).text).toBe('too much')
  },

  'lets the backend go when a client resets streams without an error in the middle of their answers': async (open) => {
    const world = await open()
    let running = 0
    let begun = 0
    const web = await backend((_, response) => {
      begun++
      running++
      const write = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      }
      response.on('drain', write).on('close', () => running--)
      write()
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h2('a.test')
    const started = Array.from({ length: 8 }, () => client.open({}))
    await Promise.all(started.map((stream) => once(stream, 'response')))
    for (const stream of started) stream.on('error', () => undefined).close(0)
    await becomes(() => running, 0)
    expect(begun).toBe(8)
  },
}
