import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { gatewayProcess } from '../cli/gateway-process.ts'
import { freePort, http1, httpBackend, openTcp, tempRoot } from '../kit/index.ts'
import { canary } from '../kit/said.ts'
import { fault } from './fault.ts'
import { underLoad } from './old-route.ts'

const hashOf = (token: string) => `sha256:${createHash('sha256').update(token).digest('hex')}`
const [write, read, expired] = [canary('write-token'), canary('read-token'), canary('old-token')]

/** A gateway whose API wants tokens, with another tenant's route under load. */
const attacked = async () => {
  const root = tempRoot('api')
  onTestFinished(root.remove)
  const [http, https, api] = [await freePort(), await freePort(), await freePort()]
  const tokens = [
    { hash: hashOf(write), scope: 'write' },
    { hash: hashOf(read), scope: 'read' },
    { hash: hashOf(expired), scope: 'write', expires: '2020-01-01T00:00:00Z' },
  ]
  writeFileSync(
    join(root.path, 'gateway.config.mts'),
    `import { defineGateway } from 'zos-gateway'
import { embedded, httpApi } from 'zos-gateway/plugins'
import { local } from 'zos-gateway/presets'
const own = [embedded({ http: { port: ${http}, redirect: false }, https: { port: ${https} } }), httpApi({ tcp: { port: ${api} }, tokens: ${JSON.stringify(tokens)} })]
export default defineGateway((flags) => ({
  plugins: local(flags).filter(({ name }) => name !== 'transport/zbus').map((plugin) => own.find(({ name }) => name === plugin.name) ?? plugin),
}))
`,
  )
  const gateway = gatewayProcess(['--root', join(root.path, 'root')], { cwd: root.path })
  onTestFinished(() => gateway[Symbol.asyncDispose]())
  await gateway.until('is up')
  const web = await httpBackend('old')
  onTestFinished(web.close)
  const call = (method: string, path: string, headers: Record<string, string> = {}, body?: string | Buffer) =>
    new Promise<{ status: number; code: string; text: string }>((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port: api, method, path, headers, agent: false, timeout: 60_000 })
      asked.on('timeout', () => asked.destroy(new Error('no answer')))
      asked.on('error', reject).on('response', async (response) => {
        const text = Buffer.concat(await response.toArray().catch(() => [])).toString()
        resolve({ status: response.statusCode ?? 0, code: /"code":"([A-Z_]+)"/.exec(text)?.[1] ?? '', text })
      })
      asked.end(body)
    })
  const set = (headers: Record<string, string>, body: string | Buffer) =>
    call('PUT', '/v1/workloads/1-1-evil', { 'content-type': 'application/json', ...headers }, body)
  const made = await call(
    'PUT',
    '/v1/workloads/900-1-old',
    { 'content-type': 'application/json', authorization: `Bearer ${write}` },
    JSON.stringify({ name: 'old', backends: [web.url] }),
  )
  expect(made.status).toBe(201)
  const old = await underLoad({
    host: 'old.gw.localhost',
    text: 'old',
    connect: async () => http1(await openTcp({ port: http })),
  })
  return { call, set, old, api }
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const good = JSON.stringify({ name: 'evil', backends: ['http://127.0.0.1:9'] })

fault(
  38,
  'who has no right over the HTTP API gets 401 or 403 and changes nothing: no token, an unknown, an expired, a reading one; a foreign Host, a foreign page',
  async () => {
    const { call, set, old } = await attacked()
    const outcomes = {
      'no token': await set({}, good),
      'an unknown token': await set(bearer('gwt_unknown'), good),
      'an expired token': await set(bearer(expired), good),
      'half a token': await set(bearer(write.slice(0, -1)), good),
      'basic credentials': await set({ authorization: `Basic ${Buffer.from(`x:${write}`).toString('base64')}` }, good),
      'a token in the query': await call('GET', `/v1/workloads?access_token=${write}`),
      'a reading token': await set(bearer(read), good),
      'a foreign Host': await set({ ...bearer(write), host: 'rebound.example.org' }, good),
      'a page of another origin': await set({ ...bearer(write), origin: 'https://evil.example.org' }, good),
      'a page, told by its browser': await set({ ...bearer(write), 'sec-fetch-site': 'cross-site' }, good),
      'a backup over TCP': await call('GET', '/v1/backup', bearer(write)),
    }
    const seen = Object.fromEntries(Object.entries(outcomes).map(([what, { status, code }]) => [what, `${status} ${code}`]))
    expect(seen).toEqual({
      'no token': '401 UNAUTHORIZED',
      'an unknown token': '401 UNAUTHORIZED',
      'an expired token': '401 UNAUTHORIZED',
      'half a token': '401 UNAUTHORIZED',
      'basic credentials': '401 UNAUTHORIZED',
      'a token in the query': '401 UNAUTHORIZED',
      'a reading token': '403 FORBIDDEN',
      'a foreign Host': '403 FORBIDDEN',
      'a page of another origin': '403 FORBIDDEN',
      'a page, told by its browser': '403 FORBIDDEN',
      'a backup over TCP': '403 FORBIDDEN',
    })
    expect((await call('GET', '/v1/workloads/1-1-evil', bearer(read))).status).toBe(404)
    expect((await call('GET', '/v1/workloads/900-1-old', bearer(read))).status).toBe(200)
    await old.undisturbed()
  },
)

fault(38, 'bodies that are huge, deep, doubled, no JSON, or name __proto__ are refused with 400, 413 or 415', async () => {
  const { call, set, old, api } = await attacked()
  const huge = Buffer.alloc(10 << 20, 0x20)
  const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
  const outcomes = {
    deep: await set(bearer(write), deep),
    brackets: await set(bearer(write), '['.repeat(500_000)),
    doubled: await set(bearer(write), '{"name":"a","name":"b","backends":["http://127.0.0.1:9"]}'),
    'doubled in escapes': await set(bearer(write), '{"name":"a","n\\u0061me":"b","backends":["http://127.0.0.1:9"]}'),
    __proto__: await set(bearer(write), '{"__proto__":{"name":"a"},"name":"b","backends":["http://127.0.0.1:9"]}'),
    constructor: await set(bearer(write), '{"constructor":{"prototype":{}},"name":"b","backends":["http://127.0.0.1:9"]}'),
    'a form': await set({ ...bearer(write), 'content-type': 'application/x-www-form-urlencoded' }, 'name=evil'),
    'plain text': await set({ ...bearer(write), 'content-type': 'text/plain' }, good),
    'no type': await call('PUT', '/v1/workloads/1-1-evil', bearer(write), good),
    'another charset': await set({ ...bearer(write), 'content-type': 'application/json; charset=utf-16' }, good),
    'not UTF-8': await set(bearer(write), Buffer.from([0x7b, 0xff, 0xfe, 0x7d])),
    empty: await set(bearer(write), ''),
  }
  const seen = Object.fromEntries(Object.entries(outcomes).map(([what, { status }]) => [what, status]))
  expect(seen).toEqual({
    deep: 400,
    brackets: 400,
    doubled: 400,
    'doubled in escapes': 400,
    __proto__: 400,
    constructor: 400,
    'a form': 415,
    'plain text': 415,
    'no type': 415,
    'another charset': 415,
    'not UTF-8': 400,
    empty: 400,
  })
  // Refused before it is read: the client may see the answer, or its connection end while it sends on.
  for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
    const outcome = await set({ ...bearer(write), ...headers }, huge).then(
      ({ status }) => status,
      (error) => error.code,
    )
    expect([413, 'EPIPE', 'ECONNRESET']).toContain(outcome)
  }
  const client = http1(await openTcp({ port: api }))
  const declared = `PUT /v1/workloads/1-1-evil HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${write}\r\n`
  await client.send(`${declared}Content-Type: application/json\r\nContent-Length: ${10 << 20}\r\n\r\n`)
  expect((await client.answer()).status).toBe(413)
  client.close()
  expect((await call('GET', '/v1/workloads/1-1-evil', bearer(read))).status).toBe(404)
  await old.undisturbed()
})

fault(38, 'a thousand requests at once are all answered, or refused with 429, and it goes on', async () => {
  const { call, old } = await attacked()
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, (_, n) =>
      n % 2
        ? call('GET', '/v1/workloads', bearer(read))
        : call(
            'PUT',
            `/v1/workloads/${n}-1-many`,
            { 'content-type': 'application/json', ...bearer(write) },
            JSON.stringify({ name: `many${n}`, backends: ['http://127.0.0.1:9'] }),
          ),
    ),
  )
  const statuses = new Set(answers.map(({ status }) => status))
  expect([...statuses].filter((status) => ![200, 201, 429].includes(status))).toEqual([])
  expect(answers.filter(({ status }) => status < 300).length).toBeGreaterThan(100)
  expect((await call('GET', '/v1/workloads', bearer(read))).status).toBe(200)
  await old.undisturbed()
})
