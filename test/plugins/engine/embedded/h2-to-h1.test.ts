import { expect, test } from 'vitest'
import { readHead } from '../../../kit/backends/raw.ts'
import { openFrames } from '../../../kit/clients/h2-frames.ts'
import { bytesBackend } from '../../../kit/engine/cases.ts'
import { defer, openWorld } from '../../../kit/engine/world.ts'
import { embeddedUnderTest } from './under-test.ts'

const open = openWorld(embeddedUnderTest)

/** What an HTTP/1.1 backend reads of requests of HTTP/2 with these fields, which are sent as they are. */
const seenOf = async (requests: readonly (readonly [name: string, value: string])[][]): Promise<string[][]> => {
  const world = await open()
  const heads: string[][] = []
  const web = await bytesBackend(async (connection) => {
    for (;;) {
      heads.push(await readHead(connection))
      await connection.send('HTTP/1.1 204 \r\n\r\n')
    }
  })
  await world.set('1-1-a', 'a.test', [web.url])
  for (const fields of requests) {
    const client = await openFrames({ port: world.where.https }, { name: 'a.test', ca: world.authority.root })
    defer(client.close)
    await client.headers(1, fields, true)
    expect([fields, await client.outcome(1)]).not.toEqual([fields, 'ok'])
  }
  return heads
}
const base = { ':method': 'GET', ':scheme': 'https', ':path': '/p', ':authority': 'a.test' }
const withField = (name: string, value: string) => Object.entries({ ...base, [name]: value })
const odd = ['\r\nX: y', '\n', '\r', '\0', ' ', '\t', '\x0b', '\x0c', '\x7f', ' HTTP/1.1\r\nX: y']

test('a method that no server of HTTP knows never becomes the first word that a backend reads', async () => {
  const methods = ['SET', 'DEL', 'FLUSHALL', 'EVAL', 'CONFIG', 'stats', 'HELO', 'get', 'connect', 'CONNECT', '\x80']
  expect(
    await seenOf(
      [...methods, ...odd.map((text) => `GET${text}`), ...odd.map((text) => `${text}GET`)].map((method) =>
        withField(':method', method),
      ),
    ),
  ).toEqual([])
})

test.each(Object.keys(base))('%s with a byte that ends or splits a line never reaches a backend', async (name) => {
  const value = base[name as keyof typeof base]
  expect(await seenOf(odd.map((text) => withField(name, value + text)))).toEqual([])
})

test.each([
  ['a name', (text: string) => withField(`x${text}`, '1')],
  ['a value', (text: string) => withField('x', `a${text}`)],
  ['a name that begins with it', (text: string) => withField(`${text}x`, '1')],
  ['a value that begins with it', (text: string) => withField('x', `${text}a`)],
])('%s with a byte that ends a line, or that some parsers trim, never reaches a backend', async (_what, fields) => {
  expect(await seenOf(odd.filter((text) => text !== ' ' && text !== '\t').map(fields))).toEqual([])
})
