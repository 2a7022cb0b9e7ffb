import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Wanted } from '../../../../plugins/transport/http-api/schemas.ts'
import { ask, send, startApi, wanted } from './parts.ts'

let api: Awaited<ReturnType<typeof startApi>>
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.close())
const put = (text: string) => send(api, '/v1/workloads/b', { method: 'PUT', body: text })

/** A body in the name of a test. */
const start = (text: string) => JSON.stringify(text.slice(0, 50))

describe('38: the body of a PUT', () => {
  const bodies: readonly (readonly [text: string, status: number])[] = [
    ['', 400],
    ['{', 400],
    ['null', 400],
    ['[]', 400],
    ['"x"', 400],
    ['{"fqdn":"b.example.org","fqdn":"c.example.org","backends":["http://10.0.0.1:80"]}', 400],
    ['{"__proto__":{"backends":["http://10.0.0.1:80"]},"fqdn":"b.example.org"}', 400],
    ['{"constructor":{"prototype":{}},"fqdn":"b.example.org","backends":["http://10.0.0.1:80"]}', 400],
    [`{"fqdn":"b.example.org","backends":${'['.repeat(5000)}${']'.repeat(5000)}}`, 400],
    [`{"fqdn":"b.example.org","backends":["http://10.0.0.1:80"],"x":"${'y'.repeat(1024 * 1024)}"}`, 413],
    [`{"fqdn":"b.example.org","backends":[${Array(1000).fill('"http://10.0.0.1:80"').join()}]}`, 400],
    ['\ufeff{"fqdn":"b.example.org","backends":["http://10.0.0.1:80"]}', 201],
  ]
  test.each(bodies.map(([text, status]) => [start(text), status, text] as const))('%s is %d', async (_, status, text) => {
    const answer = await put(text)
    expect(answer.status).toBe(status)
    if (status >= 400) expect(api.gateway.routes.size).toBe(0)
    await send(api, '/v1/workloads/b', { method: 'DELETE' })
  })

  test('the first unknown fields are named one by one, the others counted', async () => {
    const body = JSON.stringify({
      fqdn: 'b.example.org',
      backends: ['http://10.0.0.1:80'],
      ...Object.fromEntries(Array.from({ length: 9_000 }, (_, n) => [`x${n}`, 1])),
    })
    const { status, json } = await put(body)
    expect([status, json.problems.length]).toEqual([400, 9])
    expect(json.problems.at(-1).message).toBe('8992 more fields do not exist')
  })

  test.each([
    ['keys', `{${Array.from({ length: 110_000 }, (_, n) => `"${n.toString(16)}":1`).join()}}`],
    ['elements', `{"name":"a","backends":[${Array(300_000).fill('""').join()}]}`],
    ['objects', `{"name":"a","backends":[${Array(300_000).fill('{}').join()}]}`],
    ['commas', ','.repeat(1_000_000)],
  ])('1 MiB of %s is refused as soon as that is seen, with a short answer', async (_, body) => {
    const { status, text } = await put(body)
    expect(status).toBe(400)
    expect(text.length).toBeLessThan(2_000)
  })

  test('10 MiB are refused, told beforehand or not, and the next request is served', async () => {
    const huge = 'x'.repeat(10 * 1024 * 1024)
    const told = await ask(api.gateway, '/v1/workloads/b', { method: 'PUT', body: huge })
    expect(told.json).toMatchObject({ status: 413, code: 'TOO_LARGE' })
    let pulled = 0
    const endless = new ReadableStream({
      pull(controller) {
        pulled += 65_536
        controller.enqueue(new Uint8Array(65_536))
      },
    })
    const headers = { 'content-type': 'application/json' }
    const untold = await api.gateway.fetch(
      new Request('http://localhost/v1/workloads/b', { method: 'PUT', headers, body: endless, duplex: 'half' }),
    )
    expect(untold.status).toBe(413)
    expect(pulled).toBeLessThan(2 * 1024 * 1024)
    expect((await put(JSON.stringify(wanted('b.example.org')))).status).toBe(201)
    await send(api, '/v1/workloads/b', { method: 'DELETE' })
  })

  test('that is not UTF-8 is refused', async () => {
    const body = Buffer.from('{"fqdn":"b\xff.example.org"}', 'latin1')
    const headers = { 'content-type': 'application/json' }
    const answer = await api.gateway.fetch(new Request('http://localhost/v1/workloads/b', { method: 'PUT', headers, body }))
    expect(answer.status).toBe(400)
  })

  test('whatever it is, the answer is a problem with a code, and nothing is set', async () => {
    const field = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('`', '{{ env "PATH" }}', '\r\nx: y', '\u2028'),
    )
    const object = fc.dictionary(fc.constantFrom('fqdn', 'name', 'backends', 'passthrough', 'network', 'id', 'do', 'x'), field)
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          object.map((value) => JSON.stringify(value)),
        ),
        async (text) => {
          const { status, json } = await ask(api.gateway, '/v1/workloads/b', { method: 'PUT', body: text })
          expect([400, 404, 409, 413, 422]).toContain(status)
          expect(json.problems.length).toBeGreaterThan(0)
          expect(json).toMatchObject({ status, code: json.problems[0].code, detail: json.problems[0].message })
          expect(JSON.stringify(json)).not.toMatch(/[\u0000-\u001f\u2028\u2029]/)
        },
      ),
      { numRuns: 400 },
    )
    expect(api.gateway.routes.size).toBe(0)
  })
})

test('36: what a caller sends starts no line and moves no cursor in the log or in an event', async () => {
  const nasty = 'a\r\n\u001b[2Jb\u2028c'
  await put(JSON.stringify({ fqdn: nasty, backends: [nasty], [nasty]: nasty, network: nasty }))
  await send(api, `/v1/workloads/${encodeURIComponent(nasty)}`, { method: 'DELETE' })
  await send(api, `/v1/${encodeURIComponent(nasty)}`)
  const events = await ask(api.gateway, '/v1/events?since=0&follow=false')
  const said = [...api.log, events.text.replaceAll('\n\n', '').replaceAll(/\n(?=(event|data): )/g, '')].join('')
  expect(said).not.toMatch(/[\u0000-\u001f\u2028\u2029]/)
})

test('the description of a body takes what the API takes', async () => {
  const host = fc.constantFrom('s.example.org', 't.example.org')
  const port = fc.integer({ min: 1, max: 65_535 })
  const body = fc.record(
    {
      fqdn: host,
      backends: fc.array(
        port.map((of) => `http://10.0.0.1:${of}`),
        { minLength: 1, maxLength: 64 },
      ),
      passthrough: fc.constant(false),
    },
    { requiredKeys: ['fqdn', 'backends'] },
  )
  await fc.assert(
    fc.asyncProperty(body, async (value) => {
      expect((await ask(api.gateway, '/v1/workloads/s?plan', { method: 'PUT', body: value })).json.problems).toEqual([])
      expect(Wanted.safeParse(value).success).toBe(true)
      expect(Wanted.safeParse({ ...value, more: 1 }).success).toBe(false)
    }),
    { numRuns: 50 },
  )
})
