import { expect } from 'vitest'
import { readHead } from '../kit/backends/raw.ts'
import { bytesBackend } from '../kit/engine/cases.ts'
import { engines } from './engines.ts'
import { faultOn } from './fault.ts'
import { oldRoute } from './old-route.ts'

const spellings = (name: string) => [
  name,
  name.toLowerCase(),
  name.toUpperCase(),
  name.replaceAll('-', '_'),
  name.replace('-', '_'),
]
const names = [
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Forwarded-Server',
  'X-Forwarded-Prefix',
  'X-Real-Ip',
  'Forwarded',
]
const told = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'x-real-ip']

/** What clients say of themselves, a head each. */
const lies: readonly (readonly string[])[] = [
  ...names.flatMap((name) => spellings(name).map((spelled) => [`${spelled}: 6.6.6.6`])),
  ...names.map((name) => [`${name}: 6.6.6.6`, `${name}: 7.7.7.7`]),
  ...names.map((name) => [`Connection: ${name}`, `${name}: 6.6.6.6`]),
  ...names.map((name) => [`Connection: close, ${name.toLowerCase()}`]),
  [`Connection: ${names.join(', ')}`, ...names.map((name) => `${name}: 6.6.6.6`)],
  names.map((name) => `${name}:`),
]

// Traefik says in X-Forwarded-Server which machine it runs on; the embedded engine says nothing there.
const read = (head: readonly string[]) =>
  head
    .map((line) => /^([^:]*): ?(.*)$/.exec(line) ?? [])
    .map(([, name = '', value = '']) => [name.toLowerCase().replaceAll('_', '-'), value] as const)
    .filter(([name]) => /^(x-forwarded-|x-real-ip$|forwarded$)/.test(name) && name !== 'x-forwarded-server')
    .sort(([one], [other]) => (one < other ? -1 : 1))

faultOn(
  29,
  `whatever a client says of itself, in ${lies.length} ways, its backend is told the truth, in the same fields on every engine`,
  engines,
  async (open) => {
    const world = await open()
    await using _old = await oldRoute(world)
    const heads: string[][] = []
    const raw = await bytesBackend(async (connection) => {
      for (;;) {
        heads.push(await readHead(connection))
        await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      }
    })
    await world.set('1-1-a', 'a.test', [raw.url])
    const host = `a.test:${world.where.https}`
    const truth = ['127.0.0.1', host, String(world.where.https), 'https', '127.0.0.1']
    const wanted = [told[0], told[2], told[3], told[1], told[4]].map((name, at) => [name, truth[at]])
    const wrong: unknown[] = []
    for (const fields of lies) {
      const client = await world.h1('a.test')
      await client.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`)
      await client.answer()
      client.close()
      const [head = []] = heads.splice(0)
      if (JSON.stringify(read(head)) !== JSON.stringify(wanted) || /[67]\.[67]\.[67]\.[67]/.test(head.join()))
        wrong.push([fields, head])
    }
    expect(wrong).toEqual([])
  },
)
