import { setTimeout as wait } from 'node:timers/promises'
import { expect } from 'vitest'
import { readHead } from '../kit/backends/raw.ts'
import type { Http1 } from '../kit/clients/h1.ts'
import { bytesBackend } from '../kit/engine/cases.ts'
import type { World } from '../kit/engine/world.ts'
import { engines } from './engines.ts'
import { faultOn } from './fault.ts'
import { oldRoute } from './old-route.ts'

const poison = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'

/** What a backend says to a request for `path`, and what it says too much. */
const misbehaviours: Readonly<Record<string, (path: string, method: string) => string>> = {
  'an answer too many': (path) => `${answer(path)}${poison}`,
  'an answer before the body is there': (path) => answer(path),
  'a body with the answer to HEAD': (path, method) =>
    method === 'HEAD' ? `HTTP/1.1 200 OK\r\nContent-Length: ${poison.length}\r\n\r\n${poison}` : answer(path),
  'a body with 204': () => `HTTP/1.1 204 No Content\r\n\r\n${poison}`,
  'a body with 304': () => `HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n${poison}`,
  'a length with 204': () => `HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\npoison`,
  'hints before and behind it': (path) =>
    `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${answer(path)}HTTP/1.1 103 Early Hints\r\n\r\n`,
  'a word to go on, behind it': (path) => `${answer(path)}HTTP/1.1 100 Continue\r\n\r\n`,
  'words to go on, and an answer': (path) => `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${answer(path)}`,
  'a body longer than its length': (path) => `${answer(path)}more`,
  'two lengths': (path) => `HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\nContent-Length: 1\r\n\r\n${path}`,
  'a length and a coding': (path) =>
    `HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n${path.length.toString(16)}\r\n${path}\r\n0\r\n\r\n${poison}`,
  'a switch that nobody asked for': () =>
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n${poison}`,
  'chunks, and more behind them': (path) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${path.length.toString(16)}\r\n${path}\r\n0\r\n\r\n${poison}`,
  'a trailer that is an answer': (path) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${path.length.toString(16)}\r\n${path}\r\n0\r\nX: y\r\n\r\n${poison}`,
}
/** The next answer that is one: hints and words to go on do not count. */
const final = async (client: Http1) => {
  for (;;) {
    const got = await client.answer()
    if (got.status >= 200) return got.text
  }
}
const answer = (path: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`

/** Ways to ask for a path; each leaves the connection to the backend in another state. */
const asking: readonly ((world: World, path: string) => Promise<string>)[] = [
  async (world, path) => (await world.get('a.test', path)).text,
  async (world, path) => {
    const client = await world.h1('a.test')
    await client.request(`HEAD ${path}`, { Host: 'a.test' }).finally(client.close)
    return ''
  },
  // A client that leaves in the middle of its body, or does not send all that it said.
  async (world, path) => {
    const client = await world.h1('a.test')
    await client.send(
      `POST ${path} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n`,
    )
    const text = await Promise.race([final(client), client.closed.then(() => ''), wait(300, '')])
    client.close()
    return text
  },
  // Requests sent in one piece.
  async (world, path) => {
    const client = await world.h1('a.test')
    await client.send(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\nGET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`)
    const first = await final(client)
    const second = await final(client).catch(() => first)
    client.close()
    return [first, second].find((text) => !isOwn(text, path)) ?? first
  },
  async (world, path) => {
    const client = await world.h2('a.test')
    const { text } = await client.request({ headers: { ':path': path } })
    client.close()
    return text
  },
]

/** Nothing, what stands for this path alone, or the page of a gateway that its backend failed. */
const isOwn = (text: string, path: string): boolean =>
  text === '' || text === path || /^(50[0-9]|Bad Gateway|Internal Server Error)/.test(text)

faultOn(
  12,
  `no client gets the answer to another, whichever of ${Object.keys(misbehaviours).length} ways the backend misbehaves in, and however clients leave`,
  engines,
  async (open, engine) => {
    // What a backend says without being asked Go may take for its answer to the next request there, when that goes out at that very moment
    // (golang/go#31259). It stands for nobody else all the same.
    const taken = engine === 'traefik' ? ['poison'] : []
    const world = await open()
    await using _old = await oldRoute(world)
    const wrong: unknown[] = []
    for (const [name, say] of Object.entries(misbehaviours)) {
      const raw = await bytesBackend(async (connection) => {
        for (;;) {
          const [line = ''] = await readHead(connection)
          const [method = '', path = ''] = line.split(' ')
          await connection.send(say(path, method))
        }
      })
      await world.set('1-1-a', 'a.test', [raw.url])
      const clients = Array.from({ length: 20 }, async (_, at) => {
        const path = `/own-${at}-end`
        const text = await (asking[at % asking.length] as (typeof asking)[number])(world, path).catch(() => '')
        if (!isOwn(text, path) && !taken.includes(text)) wrong.push([name, path, text])
      })
      await Promise.all(clients)
    }
    expect(wrong).toEqual([])
  },
)
