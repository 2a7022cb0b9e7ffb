import { statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ask, send, startApi, wanted } from './parts.ts'

let api: Awaited<ReturnType<typeof startApi>>
beforeAll(async () => {
  api = await startApi({ allowHosts: ['api.example.org'] })
})
afterAll(() => api.close())
const port = () => new URL(api.url).port
const set = (headers: Record<string, string>, more: Ask = {}) =>
  send(api, '/v1/workloads/g', { method: 'PUT', body: wanted('g.example.org'), ...more, headers })

describe('38: the Host of a request over TCP', () => {
  test.each(['localhost', 'LocalHost', '127.0.0.1', '127.8.9.1', '[::1]', 'api.example.org', 'API.example.org', 'localhost:1'])(
    '%s is let in',
    async (host) => {
      expect((await send(api, '/v1/workloads', { headers: { host } })).status).toBe(200)
    },
  )

  test.each([
    'evil.example.org',
    'localhost.evil.example.org',
    '127.0.0.1.evil.example.org',
    'shop.gw.localhost',
    'localhost.',
    '10.0.0.1',
    '0.0.0.0',
    '[::]',
    'localhost:80:80',
    'localhost:123456',
    'user@localhost',
    'localhost#',
    '127.1',
    '2130706433',
  ])('%j is refused', async (host) => {
    const answer = await send(api, '/v1/workloads', { headers: { host } })
    expect([400, 403]).toContain(answer.status)
    expect(answer.json.code).toBe(answer.status === 403 ? 'FORBIDDEN' : 'BAD_REQUEST')
    expect((await set({ host })).status).toBe(answer.status)
    expect(api.gateway.routes.size).toBe(0)
  })
})

describe('38: a request that a web page of another origin sends', () => {
  test.each([
    { origin: 'http://evil.example.org' },
    { origin: 'null' },
    { origin: 'https://shop.gw.localhost:8443' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
  ])('with %j is refused and changes nothing', async (headers) => {
    expect((await set(headers)).json).toMatchObject({ status: 403, code: 'FORBIDDEN' })
    expect((await send(api, '/v1/workloads/g', { method: 'DELETE', headers })).status).toBe(403)
    expect(
      (await send(api, '/v1/reload', { method: 'POST', headers: { ...headers, 'content-type': 'application/json' } })).status,
    ).toBe(403)
    expect(api.gateway.routes.size).toBe(0)
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json-patch+json',
    '',
  ])('as a form could, with content type %j, is refused', async (type) => {
    for (const [method, path] of [
      ['PUT', '/v1/workloads/g'],
      ['POST', '/v1/reload'],
      ['POST', '/v1/certificates/x/renew'],
    ] as const) {
      const answer = await send(api, path, { method, headers: { 'content-type': type }, body: wanted('g.example.org') })
      expect(answer.json).toMatchObject({ status: 415, code: 'BAD_REQUEST' })
    }
    expect(api.gateway.routes.size).toBe(0)
  })

  test('reads are refused too, but not a link that a person followed', async () => {
    const cross = { 'sec-fetch-site': 'cross-site' }
    for (const path of ['/v1/workloads', '/v1/events', '/metrics'])
      expect((await send(api, path, { headers: { ...cross, 'sec-fetch-mode': 'no-cors' } })).status).toBe(403)
    expect((await send(api, '/docs', { headers: { ...cross, 'sec-fetch-mode': 'navigate' } })).status).toBe(200)
  })

  test('a page of the API itself is let in, and answers tell browsers to keep others out', async () => {
    const own = { host: `127.0.0.1:${port()}`, origin: `http://127.0.0.1:${port()}`, 'sec-fetch-site': 'same-origin' }
    const answer = await set(own)
    expect(answer.status).toBe(201)
    expect(answer.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin' })
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    await send(api, '/v1/workloads/g', { method: 'DELETE' })
  })

  test('a preflight gets no permission', async () => {
    const headers = { origin: 'http://evil.example.org', 'access-control-request-method': 'PUT' }
    const { status, headers: got } = await send(api, '/v1/workloads/g', { method: 'OPTIONS', headers })
    expect(status).toBe(403)
    expect(got['access-control-allow-methods']).toBeUndefined()
  })
})

describe('without tokens', () => {
  test.each(['x-forwarded-for', 'forwarded', 'via', 'x-forwarded-host'])(
    'a request that passed a proxy (%s) is refused',
    async (name) => {
      expect((await set({ [name]: '10.0.0.1' })).json).toMatchObject({ status: 403, code: 'FORBIDDEN' })
    },
  )

  test('the unix socket is for its owner alone, whatever the Host', async () => {
    expect(statSync(api.socket).mode & 0o777).toBe(0o600)
    const unix = { socket: api.socket }
    const put = await send(unix, '/v1/workloads/u', {
      method: 'PUT',
      body: wanted('u.example.org'),
      headers: { host: 'anything' },
    })
    expect(put.status).toBe(201)
    expect((await send(unix, '/v1/reload', { method: 'POST' })).json.code).toBe('BAD_REQUEST')
    expect((await send(unix, '/v1/workloads/u', { method: 'DELETE' })).status).toBe(204)
  })
})
