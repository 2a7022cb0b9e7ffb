import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { endpointArgs } from '../../../../plugins/engine/traefik/endpoint/index.ts'
import { freePort, tempRoot } from '../../../kit/index.ts'
import {
  type EndpointProcess,
  joinEndpoint,
  part,
  poller,
  readDocument,
  routersOf,
  startProcess,
  token,
} from './endpoint-parts.ts'

const ending: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end()
})
const folder = () => {
  const root = tempRoot('endpoint')
  ending.push(root.remove)
  return join(root.path, 'run')
}
const start = async (at: string, options?: Parameters<typeof startProcess>[1]): Promise<EndpointProcess> => {
  const started = await startProcess(at, options)
  ending.push(() => started.end())
  return started
}
const joinAt = async (at: string) => {
  const joined = await joinEndpoint(at)
  ending.push(joined.client.close)
  return joined
}
const pollAt = (url: string) => {
  const one = poller(url)
  ending.push(one.close)
  return one
}
const some = (count: number) =>
  Array.from({ length: count }, (_, n) => [`w${n}`, part(`w${n}`, `w${n}.example.org`, 'http://10.1.1.1:80')] as const)

describe('the endpoint of the http provider', () => {
  it('answers the first poll at once, holds the next until a change, and then answers all of it', async () => {
    const at = folder()
    const { url } = await start(at)
    const { client } = await joinAt(at)
    await client.replace(some(2))
    const traefik = pollAt(url)
    expect(routersOf((await traefik.poll()).text)).toEqual(['w0-route', 'w1-route'])
    let answered = false
    const held = traefik.poll().finally(() => {
      answered = true
    })
    // As long as it is held others are answered.
    for (let n = 0; n < 5; n++) await pollAt(url).poll()
    expect(answered).toBe(false)
    await client.apply([
      ['w2', part('w2', 'w2.example.org', 'http://10.1.1.1:80')],
      ['w0', null],
    ])
    expect(routersOf((await held).text)).toEqual(['w1-route', 'w2-route'])
  })

  it('sends the same body again before the poll times out', async () => {
    const at = folder()
    const { url } = await start(at, { hold: 300 })
    const { client } = await joinAt(at)
    await client.replace(some(1))
    const traefik = pollAt(url)
    const [first, second] = [await traefik.poll(), await traefik.poll()]
    expect(second).toEqual(first)
    expect(first.status).toBe(200)
  })

  it('gathers what comes while a poll is away into the next answer', async () => {
    const at = folder()
    const { url } = await start(at)
    const { client, until } = await joinAt(at)
    await client.replace([])
    const traefik = pollAt(url)
    await traefik.poll()
    const before = (await until(({ handed }) => handed !== undefined)).bodies
    const every = some(500)
    const all = Promise.all(every.map((one) => client.apply([one])))
    let routes: string[] = []
    while (routes.length < 500) routes = routersOf((await traefik.poll()).text)
    await all
    const { bodies } = await until(({ handed, revision }) => handed === revision)
    expect(bodies - before).toBeLessThanOrEqual(4)
  })

  it.each(['SIGKILL', 'SIGTERM'] as const)('has every acknowledged change after %s', async (signal) => {
    const at = folder()
    const first = await startProcess(at)
    const { client, until } = await joinAt(at)
    await client.replace(some(3))
    await client.apply([['w1', null]])
    const { revision } = await until(() => true)
    await first.end(signal)
    const second = await start(at)
    expect(routersOf((await pollAt(second.url).poll()).text)).toEqual(['w0-route', 'w2-route'])
    // Both sides find that they agree, and go on.
    expect((await until((facts) => facts.bodies === 1)).revision).toBe(revision)
    await client.apply(some(5).slice(4))
    expect(routersOf((await pollAt(second.url).poll()).text)).toEqual(['w0-route', 'w2-route', 'w4-route'])
  })

  it('loses no change that comes while it is away', async () => {
    const at = folder()
    const first = await startProcess(at)
    const { client } = await joinAt(at)
    await client.replace(some(2))
    await first.end('SIGKILL')
    const applied = client.apply([['w0', null], some(3)[2]!])
    const { url } = await start(at)
    await applied
    expect(routersOf((await pollAt(url).poll()).text)).toEqual(['w1-route', 'w2-route'])
  })

  it('is told all again where it does not have what the gateway thinks', async () => {
    const at = folder()
    const first = await startProcess(at)
    const { client } = await joinAt(at)
    await client.replace(some(3))
    await first.end('SIGKILL')
    writeFileSync(join(at, 'document'), '')
    const { url } = await start(at)
    await client.apply([['w0', null]])
    expect(routersOf((await pollAt(url).poll()).text)).toEqual(['w1-route', 'w2-route'])
  })

  it('serves what stands before a torn write', async () => {
    const at = folder()
    const first = await startProcess(at)
    const { client } = await joinAt(at)
    await client.replace(some(2))
    await client.close()
    await first.end('SIGKILL')
    appendFileSync(join(at, 'document'), readDocument(at).subarray(0, 40))
    const { url } = await start(at)
    expect(routersOf((await pollAt(url).poll()).text)).toEqual(['w0-route', 'w1-route'])
  })

  it('keeps its file near the size of what is served', async () => {
    const at = folder()
    await start(at)
    const { client } = await joinAt(at)
    const big = Array.from({ length: 1_000 }, (_, n) => `x${n}`)
    for (let round = 0; round < 30; round++)
      await client.replace(big.map((id) => [id, part(id, `${id}.example.org`, `http://10.1.1.${round}:80`)]))
    expect(statSync(join(at, 'document')).size).toBeLessThan(6 << 20)
  })

  it('answers the first poll only after the gateway where that is asked for', async () => {
    const at = folder()
    const first = await startProcess(at)
    const { client } = await joinAt(at)
    await client.replace(some(2))
    await client.close()
    await first.end()
    const { url } = await start(at, { wait: true })
    const answer = pollAt(url).poll()
    const { client: next } = await joinAt(at)
    await next.replace(some(1))
    expect(routersOf((await answer).text)).toEqual(['w0-route'])
  })

  it('refuses a part that could break the document for all, and takes the others', async () => {
    const at = folder()
    const { url } = await start(at)
    const { client } = await joinAt(at)
    await client.replace([])
    const host = (rule: string) => JSON.stringify({ http: { routers: { r: { rule } } } })
    const refused = await client.apply([
      ['line', host('a\u2028b')],
      ['astral', host('\u{1f600}')],
      ['lone', host('\ud800')],
      ['delete', host('\x7f')],
      ['section', JSON.stringify({ udp: { routers: {} } })],
      ['name', JSON.stringify({ http: { routers: { 'a b': {} } } })],
      ['a key', host('x')],
      ['null', JSON.stringify({ http: { routers: { n: { rule: null } } } })],
      ...some(1),
    ])
    expect([...refused.keys()].toSorted()).toEqual(['a key', 'astral', 'delete', 'line', 'lone', 'name', 'null', 'section'])
    const again = await client.apply([['other', some(1)[0]![1]]])
    expect(again.get('other')?.message).toMatch(/has a w0(-route)? already, of w0/)
    expect(routersOf((await pollAt(url).poll()).text)).toEqual(['w0-route'])
  })

  it('lets nobody in without the token, from another address, or by a socket of others', async () => {
    const at = folder()
    const { url, port } = await start(at)
    const status = (headers: Record<string, string>) =>
      new Promise((done) => request(url, { headers }, (answer) => done(answer.resume().statusCode)).end())
    expect(await status({})).toBe(403)
    expect(await status({ authorization: `Bearer ${token.replace('T', 'U')}` })).toBe(403)
    const outside = Object.values(networkInterfaces()).flatMap(
      (all) => all?.filter(({ internal, family }) => !internal && family === 'IPv4') ?? [],
    )
    for (const address of ['127.0.0.2', ...outside.map(({ address }) => address)]) {
      const socket = connect(port, address)
      const [error] = await once(socket, 'error')
      expect(error.code).toBe('ECONNREFUSED')
    }
    expect(statSync(join(at, 'socket')).mode & 0o777).toBe(0o600)
    expect(statSync(join(at, 'document')).mode & 0o777).toBe(0o600)
  })

  it('does not start beside another of the same folder, and leaves that one be', async () => {
    const at = folder()
    const { url } = await start(at)
    const { client } = await joinAt(at)
    await client.replace(some(1))
    const second = spawn(process.execPath, endpointArgs({ folder: at, port: await freePort() }), {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const [said, [code]] = await Promise.all([text(second.stderr), once(second, 'exit')])
    expect(code).toBe(1)
    expect(said).toContain('another process listens')
    await client.apply(some(2))
    expect(routersOf((await pollAt(url).poll()).text)).toEqual(['w0-route', 'w1-route'])
  })
})
