import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { definePlugin, type Event, parseOperation } from '../../../../core/index.ts'
import { ask, send, startApi, wanted } from './parts.ts'

type Api = Awaited<ReturnType<typeof startApi>>
const set = (api: Api, n: number) =>
  ask(api.gateway, `/v1/workloads/e-${n}`, { method: 'PUT', body: wanted(`e-${n}.example.org`) })

/** A stream over a real socket: `next` resolves with the next block (an event or a comment), or undefined when it ended. */
const open = async (api: Api, query = '', headers: Record<string, string> = {}) => {
  const outgoing = request(`${api.url}/v1/events${query}`, { headers, agent: false })
  outgoing.end()
  const [incoming]: [IncomingMessage] = (await once(outgoing, 'response')) as [IncomingMessage]
  const blocks = blocksOf(incoming.setEncoding('utf8'))
  return {
    status: incoming.statusCode,
    type: incoming.headers['content-type'],
    next: async () => (await blocks.next()).value,
    /** The next event of this type. */
    async until(type: string) {
      for (let next = await blocks.next(); !next.done; next = await blocks.next())
        if (
          next.value.includes(`
event: ${type}
`)
        )
          return read(next.value)
      throw new Error(`the stream ended before ${type}`)
    },
    close: () => outgoing.destroy(),
    blocks,
  }
}
async function* blocksOf(chunks: AsyncIterable<string>): AsyncGenerator<string, undefined> {
  let rest = ''
  for await (const chunk of chunks) {
    const parts = `${rest}${chunk}`.split('\n\n')
    rest = parts.pop() ?? ''
    yield* parts
  }
  return undefined
}
const read = (block: string) => {
  const [, seq] = /^id: (\d+)$/m.exec(block) ?? []
  const [, data = 'null'] = /^data: (.*)$/m.exec(block) ?? []
  return { ...JSON.parse(data), seq: Number(seq) }
}

describe('GET /v1/events', () => {
  test('tells of what happens from now on, as one JSON object an event', async () => {
    const api = await startApi()
    await set(api, 0)
    const stream = await open(api)
    expect([stream.status, stream.type]).toEqual([200, 'text/event-stream; charset=utf-8'])
    expect(await stream.next()).toBe('retry: 1000')
    await set(api, 1)
    const applied = await stream.until('applied')
    expect(applied).toMatchObject({ type: 'applied', route: { id: 'e-1', url: 'https://e-1.example.org/' } })
    await ask(api.gateway, '/v1/workloads/e-1', { method: 'DELETE' })
    expect(await stream.until('deleted')).toMatchObject({ route: { id: 'e-1' } })
    await api.gateway.dispatch(parseOperation({ do: 'metrics' })).catch(() => undefined)
    expect(await stream.until('failed')).toMatchObject({ do: 'metrics', error: { code: 'METRICS_DISABLED' } })
    stream.close()
    await api.close()
  })

  test('a reader that is cut anywhere and resumes sees every event once, in order', async () => {
    const api = await startApi()
    for (let n = 0; n < 20; n++) await set(api, n)
    const { text } = await ask(api.gateway, '/v1/events?since=0&follow=false')
    const all = text
      .split('\n\n')
      .filter(Boolean)
      .map((block) => read(block).seq)
    expect(all.length).toBeGreaterThanOrEqual(20)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }), async (cuts) => {
        const seen: number[] = []
        for (const cut of [...cuts, all.length]) {
          const last = seen.at(-1)
          const stream = await open(api, '?since=0', last === undefined ? {} : { 'last-event-id': String(last) })
          await stream.next()
          for (let i = 0; i < cut && seen.length < all.length; i++) seen.push(read((await stream.next()) ?? '').seq)
          stream.close()
        }
        expect(seen).toEqual(all)
      }),
      { numRuns: 15 },
    )
    const after = await ask(api.gateway, `/v1/events?since=${all[4]}&follow=false`)
    expect(read(after.text.split('\n\n')[0] ?? '').seq).toBe(all[5])
    await api.close()
  })

  test('nothing is lost between the kept events and those that come while they are read', async () => {
    const api = await startApi()
    const writing = (async () => {
      for (let n = 0; n < 200; n++) await set(api, n)
    })()
    const stream = await open(api, '?since=0')
    const ids: number[] = []
    const routes = new Set<string>()
    for await (const block of stream.blocks) {
      if (!block.startsWith('id:')) continue
      const event = read(block)
      ids.push(event.seq)
      if (event.type === 'applied') routes.add(event.route.id)
      if (routes.size === 200) break
    }
    await writing
    expect(ids).toEqual(ids.map((_, i) => (ids[0] ?? 0) + i))
    stream.close()
    await api.close()
  })

  test('a reader that is slower than the log is told that it missed some', async () => {
    let emit: (event: Event) => void = () => undefined
    const loud = definePlugin({
      name: 'service/loud',
      kind: 'service',
      setup: (core) => {
        emit = core.emit
        return {}
      },
    })
    const api = await startApi({}, loud)
    const reader = (await api.gateway.fetch(new Request('http://localhost/v1/events'))).body?.getReader()
    const chunk = async () => Buffer.from((await reader?.read())?.value ?? []).toString()
    expect(await chunk()).toContain('retry')
    const shout = (n: number) => emit({ type: 'alarm', code: 'TEST', message: `${n}`, fix: '' })
    shout(0)
    const first = read(await chunk()).seq
    for (let n = 1; n <= 20_000; n++) shout(n)
    const seen: { type: string; seq: number }[] = []
    while ((seen.at(-1)?.seq ?? 0) < first + 20_000) seen.push(read(await chunk()))
    const gap = seen.findIndex(({ type }) => type === 'gap')
    expect(gap).toBeGreaterThanOrEqual(0)
    const numbers = seen.slice(gap).map(({ seq }) => seq)
    expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] ?? 0) + i))
    await reader?.cancel()
    await api.close()
  })

  test('an idle stream is kept open by comments', async () => {
    const api = await startApi({ heartbeat: 0.02 })
    const stream = await open(api)
    await stream.next()
    expect(await stream.next()).toBe(': still here')
    expect(await stream.next()).toBe(': still here')
    stream.close()
    await api.close()
  })

  test('streams end when the gateway closes, and do not keep it', async () => {
    const api = await startApi()
    const streams = await Promise.all([open(api), open(api, '?since=0'), open(api)])
    for (const stream of streams) await stream.next()
    const ended = streams.map(async ({ blocks }) => {
      for await (const _ of blocks);
    })
    await api.close()
    await Promise.all(ended)
  })

  test('at most 128 are open at once; one that its reader leaves makes room', async () => {
    const api = await startApi()
    const url = 'http://localhost/v1/events'
    const streams = await Promise.all(Array.from({ length: 128 }, () => api.gateway.fetch(new Request(url))))
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]))
    expect((await send(api, '/v1/events')).json).toMatchObject({ status: 429, code: 'LIMIT' })
    expect((await send(api, '/v1/status')).status).toBe(200)
    await streams[0]?.body?.cancel()
    const again = await open(api)
    expect(again.status).toBe(200)
    again.close()
    for (const { body } of streams.slice(1)) await body?.cancel()
    // HEAD opens none, and a reader that leaves before its answer keeps none.
    for (let n = 0; n < 300; n++) expect((await ask(api.gateway, '/v1/events', { method: 'HEAD' })).status).toBe(200)
    const port = Number(new URL(api.url).port)
    for (let n = 0; n < 300; n++) {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      await new Promise((resolve) => socket.write('GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n', resolve))
      socket.resetAndDestroy()
    }
    let left = await open(api)
    for (let n = 0; left.status === 429 && n < 1000; n++) left = await open(api)
    expect(left.status).toBe(200)
    left.close()
    await api.close()
  })

  test.each([
    ['?since=-1', {}],
    ['?since=x', {}],
    ['?since=1.5', {}],
    ['?follow=no', {}],
    ['', { 'last-event-id': 'x' }],
  ])('%s %j is refused', async (query, headers) => {
    const api = await startApi()
    expect((await ask(api.gateway, `/v1/events${query}`, { headers: headers as Record<string, string> })).json).toMatchObject({
      status: 400,
      code: 'BAD_REQUEST',
    })
    await api.close()
  })
})
