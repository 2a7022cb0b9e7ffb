import { expect } from 'vitest'
import { readHead } from '../backends/raw.ts'
import { backend, bytesBackend, type Cases } from './cases.ts'

/** One spelling of equal paths: an escape in either case, and a dot escaped or not (RFC 3986 section 6.2.2). */
const spelt = (path: string) => path.replace(/%[0-9a-f]{2}/gi, (triplet) => triplet.toLowerCase()).replaceAll('%2e', '.')

/** What a browser or an API client sees of an ordinary request. */
export const answers: Cases = {
  'serves HTTP/1.1': async (open) => {
    const world = await open()
    const web = await backend('hello')
    await world.set('1-1-a', 'a.test', [web.url])
    const answer = await world.get('a.test')
    expect([answer.status, answer.text]).toEqual([200, 'hello'])
    expect(web.requests[0]?.header('host')).toBe('a.test')
  },

  'serves HTTP/2, many streams at once on one connection': async (open) => {
    const world = await open()
    const web = await backend((request, response) => response.end(request.url))
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h2('a.test')
    const paths = Array.from({ length: 60 }, (_, at) => `/${at}`)
    const got = await Promise.all(paths.map((path) => client.request({ headers: { ':path': path } })))
    expect(got.map(({ status, text }) => [status, text])).toEqual(paths.map((path) => [200, path]))
    expect(web.requests[0]?.header('host')).toBe('a.test')
  },

  'serves a client that offers no ALPN': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend()).url])
    const client = await world.h1('a.test', { alpn: [] })
    expect((await client.request('GET /', { Host: 'a.test' })).status).toBe(200)
  },

  'keeps connections open, of clients and to backends': async (open) => {
    const world = await open()
    const web = await backend()
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    for (let count = 0; count < 40; count++) {
      expect((await client.request('GET /', { Host: 'a.test' })).status).toBe(200)
    }
    expect(web.requests).toHaveLength(40)
    expect(web.accepted).toBeLessThan(10)
  },

  'takes requests that are sent behind one another without waiting, and answers in order': async (open) => {
    const world = await open()
    const web = await backend((request, response) => response.end(request.url))
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    const paths = ['/one', '/two', '/three', '/four']
    await client.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`).join(''))
    for (const path of paths) expect((await client.answer()).text).toBe(path)
  },

  'answers an HTTP/1.0 client as it understands it': async (open) => {
    const world = await open()
    const web = await backend((_, response) => {
      response.write('in ')
      response.end('pieces')
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    await client.send('GET / HTTP/1.0\r\nHost: a.test\r\n\r\n')
    const answer = await client.answer()
    expect([answer.status, answer.text, answer.header('transfer-encoding')]).toEqual([200, 'in pieces', undefined])
    expect(await client.closed).toBe('end')
  },

  'answers HEAD with the length of GET and no body': async (open) => {
    const world = await open()
    const web = await backend((_, response) => response.writeHead(200, { 'Content-Length': 5 }).end('12345'))
    await world.set('1-1-a', 'a.test', [web.url])
    const one = await world.h1('a.test')
    const head = await one.request('HEAD /', { Host: 'a.test' })
    expect([head.status, head.header('content-length')]).toEqual([200, '5'])
    expect((await one.request('GET /', { Host: 'a.test' })).text).toBe('12345')
    const two = await (await world.h2('a.test')).request({ headers: { ':method': 'HEAD' } })
    expect([two.status, two.headers['content-length'], two.text]).toEqual([200, '5', ''])
  },

  'answers 204 and 304 without a body, on a connection that goes on': async (open) => {
    const world = await open()
    const web = await backend((request, response) => response.writeHead(Number(request.url?.slice(1)), { ETag: '"1"' }).end())
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    for (const status of [204, 304, 204, 200]) {
      const answer = await client.request(`GET /${status}`, { Host: 'a.test' })
      expect([answer.status, answer.text, answer.header('etag')]).toEqual([status, '', '"1"'])
    }
    const two = await world.h2('a.test')
    for (const status of [204, 304]) expect((await two.request({ headers: { ':path': `/${status}` } })).status).toBe(status)
  },

  'answers 204 to HTTP/1.1 and HTTP/2 where the backend says how long it is': async (open) => {
    const world = await open()
    const web = await bytesBackend(async (connection) => {
      for (;;) {
        await readHead(connection)
        await connection.send('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nETag: "1"\r\n\r\n')
      }
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const [one, two] = [await world.h1('a.test'), await world.h2('a.test')]
    for (let count = 0; count < 3; count++) {
      const old = await one.request('GET /', { Host: 'a.test' })
      expect([old.status, old.header('etag'), old.header('content-length')]).toEqual([204, '"1"', undefined])
      const now = await two.request({ headers: {} })
      expect([now.status, now.headers.etag, now.headers['content-length']]).toEqual([204, '"1"', undefined])
    }
  },

  'passes a large answer head on, one long field or many': async (open) => {
    const world = await open()
    const long = 'x~'.repeat(32_000)
    const short = 'y~'.repeat(60)
    const fields = Array.from({ length: 480 }, (_, at) => `X-Field-${at}: ${short}\r\n`).join('')
    const web = await bytesBackend(async (connection) => {
      for (;;) {
        const [line = ''] = await readHead(connection)
        const said = line.includes('/long') ? `X-Long: ${long}\r\n` : fields
        await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${said}\r\nok`)
      }
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const [one, two] = [await world.h1('a.test'), await world.h2('a.test')]
    for (const path of ['/long', '/many', '/long']) {
      const wanted = path === '/long' ? long : short
      const name = path === '/long' ? 'x-long' : 'x-field-479'
      const old = await one.request(`GET ${path}`, { Host: 'a.test' })
      expect([old.status, old.text, old.header(name)]).toEqual([200, 'ok', wanted])
      const now = await two.request({ headers: { ':path': path } })
      expect([now.status, now.text, now.headers[name]]).toEqual([200, 'ok', wanted])
    }
  },

  'passes path and query on, byte for byte': async (open) => {
    const world = await open()
    const web = await backend()
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    const paths = ['/a%20b?x=1&y=%2F&z', '//two', '/;p=1;q', '/a%2Fb', '/%E2%82%AC', '/x?', '/??', '/a+b?c+d', "/!$&'()*,=:@~"]
    for (const path of paths) expect((await client.request(`GET ${path}`, { Host: 'a.test' })).status).toBe(200)
    expect(web.requests.map(({ url }) => url)).toEqual(paths)
  },

  'passes dot segments on as they are, or refuses them; never resolves them': async (open) => {
    const world = await open()
    const web = await backend()
    await world.set('1-1-a', 'a.test', [web.url])
    for (const path of ['/a/../b', '/a/..%2fb', '/%2e%2e/b', '/./b', '/.well-known/acme-challenge/../../b']) {
      const before = web.requests.length
      const { status } = await world.get('a.test', path)
      const came = web.requests.slice(before).map(({ url }) => spelt(url))
      expect(status === 200 ? came : [spelt(path)]).toEqual([spelt(path)])
      expect(status === 200 ? [] : came).toEqual([])
    }
  },

  'redirects plain HTTP to HTTPS, path and query kept': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend('hello')).url])
    const client = await world.plain()
    const answer = await client.request('GET /a%20b?c=d&e=%2F', { Host: `a.test:${world.where.http}` })
    expect([301, 302, 307, 308]).toContain(answer.status)
    const to = new URL(answer.header('location') ?? '')
    expect([to.protocol, to.hostname, to.port]).toEqual(['https:', 'a.test', String(world.where.https)])
    expect(to.pathname + to.search).toBe('/a%20b?c=d&e=%2F')
  },

  'answers 404 for a host that nobody set': async (open) => {
    const world = await open()
    const web = await backend()
    await world.set('1-1-a', 'one.wild.test', [web.url])
    expect((await world.get('other.wild.test')).status).toBe(404)
    const two = await world.h2('other.wild.test')
    expect((await two.request({ headers: {} })).status).toBe(404)
    expect(web.requests).toEqual([])
  },

  'listens on IPv4 and IPv6, and reaches backends on both': async (open) => {
    const world = await open()
    const [four, six] = [await backend('four'), await backend('six', { host: '::1' })]
    await world.set('1-1-four', 'four.test', [four.url])
    await world.set('1-1-six', 'six.test', [six.url])
    for (const address of world.where.addresses) {
      for (const name of ['four', 'six']) {
        const client = await world.h1(`${name}.test`, {}, { host: address })
        expect((await client.request('GET /', { Host: `${name}.test` })).text).toBe(name)
      }
      const plain = await world.plain({ host: address })
      expect((await plain.request('GET /', { Host: 'four.test' })).status).toBeLessThan(400)
    }
  },

  'takes a host in any case, and with its port': async (open) => {
    const world = await open()
    await world.set('1-1-a', 'a.test', [(await backend('hello')).url])
    for (const host of ['A.Test', `a.test:${world.where.https}`]) {
      const client = await world.h1('A.TEST')
      expect((await client.request('GET /', { Host: host })).text).toBe('hello')
    }
  },

  'answers HEAD and HTTP/1.0 where the backend announces trailers': async (open) => {
    const world = await open()
    const web = await backend((_, response) => {
      response.writeHead(200, { Trailer: 'X-Sum', 'Transfer-Encoding': 'chunked' })
      response.end('hello')
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    expect((await client.request('HEAD /', { Host: 'a.test' })).status).toBe(200)
    const old = await world.h1('a.test')
    await old.send('GET / HTTP/1.0\r\nHost: a.test\r\n\r\n')
    expect((await old.answer()).status).toBe(200)
  },
}
