import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGateway, definePlugin, type Health } from '../../../../core/index.ts'
import { httpApi, localCa, memory } from '../../../../plugins/index.ts'
import { anyHost, tableEngine } from '../../../core/parts.ts'
import { tempRoot } from '../../../kit/index.ts'
import { ask, send, startApi, wanted } from './parts.ts'

describe('probes', () => {
  test('/readyz says which plugin is down, and /healthz that the process is not', async () => {
    let say: (state: Health, reason?: string) => void = () => undefined
    const weak = definePlugin({
      name: 'service/weak',
      kind: 'service',
      setup: ({ health }) => {
        say = health
        return {}
      },
    })
    const api = await startApi({}, weak)
    expect(await ask(api.gateway, '/readyz')).toMatchObject({ status: 200, json: { ready: true, reasons: [] } })
    say('degraded', 'slow')
    expect((await ask(api.gateway, '/readyz')).status).toBe(200)
    say('down', 'no answer from 10.0.0.1')
    const down = await ask(api.gateway, '/readyz')
    expect([down.status, down.json.ready]).toEqual([503, false])
    expect(down.json.reasons).toContainEqual('service/weak is down')
    expect(down.text).not.toContain('10.0.0.1')
    expect(await ask(api.gateway, '/healthz')).toMatchObject({ status: 200, text: 'ok\n' })
    expect((await ask(api.gateway, '/v1/status')).json.plugins).toContainEqual({
      name: 'service/weak',
      state: 'down',
      reason: 'no answer from 10.0.0.1',
    })
    await api.close()
  })

  test('before it listens the mounted handler says that the gateway is starting', async () => {
    const plugin = httpApi({ tcp: false, socket: false })
    const seen: Response[] = []
    const early = definePlugin({
      name: 'service/early',
      kind: 'service',
      needs: { api: plugin.provides?.http ?? { id: 'fetch' } },
      setup: async ({ api }) => {
        seen.push(await api.fetch(new Request('http://localhost/v1/status')))
        return {}
      },
    })
    const gateway = await createGateway({ plugins: [memory(), tableEngine().plugin, plugin, early] }, { root: tempRoot().path })
    expect(seen[0]?.status).toBe(503)
    expect(await seen[0]?.json()).toMatchObject({ code: 'BUSY' })
    expect((await ask(gateway, '/v1/status')).status).toBe(200)
    await gateway.close()
  })
})

describe('certificates', () => {
  test('are listed without their keys, and one can be renewed', async () => {
    const root = tempRoot()
    const plugins = [memory(), anyHost(), localCa(), tableEngine().plugin, httpApi({ tcp: false })]
    const gateway = await createGateway({ plugins }, { root: root.path })
    const put = await ask(gateway, '/v1/workloads/c?wait=live', { method: 'PUT', body: wanted('c.example.org') })
    expect(put).toMatchObject({ status: 201, json: { live: expect.any(String) } })
    const list = async () => (await ask(gateway, '/v1/certificates')).json.certificates
    const [certificate] = await list()
    expect(certificate).toMatchObject({ names: ['c.example.org'], resolver: 'local', state: 'ready', users: 1 })
    expect(Date.parse(certificate.notAfter)).toBeGreaterThan(Date.now())
    expect(JSON.stringify(await list())).not.toMatch(/PRIVATE|BEGIN/)
    const renewed = await ask(gateway, `/v1/certificates/${certificate.id}/renew`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
    expect(renewed.status).toBe(204)
    const missing = await ask(gateway, '/v1/certificates/nope/renew', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
    expect(missing.json).toMatchObject({ status: 404, code: 'NOT_FOUND' })
    await gateway.close()
    await root.remove()
  })
})

describe('the rest', () => {
  let api: Awaited<ReturnType<typeof startApi>>
  beforeAll(async () => {
    api = await startApi()
  })
  afterAll(() => api.close())

  test('metrics without a metrics plugin is METRICS_DISABLED, and /metrics serves the rest', async () => {
    expect((await ask(api.gateway, '/v1/metrics')).json).toMatchObject({ status: 501, code: 'METRICS_DISABLED' })
    expect((await ask(api.gateway, '/metrics')).status).toBe(200)
  })

  test('a reload where there is no config file is refused', async () => {
    const answer = await send({ socket: api.socket }, '/v1/reload', { method: 'POST' })
    expect(answer.json).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
  })

  test('an unknown path is 404, a known one with another method 405 and says which', async () => {
    expect((await ask(api.gateway, '/v1/workload')).json).toMatchObject({ status: 404, code: 'NOT_FOUND' })
    for (const [method, path, allow] of [
      ['DELETE', '/v1/workloads', 'GET, HEAD'],
      ['PATCH', '/v1/workloads/x', 'GET, HEAD, PUT, DELETE'],
      ['DELETE', '/v1/reload', 'POST'],
    ] as const) {
      const answer = await ask(api.gateway, path, { method })
      expect([answer.status, answer.headers.allow]).toEqual([405, allow])
    }
    expect(await ask(api.gateway, '/v1/workloads', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
  })

  test('the page and all that it loads come from this server, and the description has every route', async () => {
    const page = await ask(api.gateway, '/docs')
    expect(page.headers['content-security-policy']).toContain("default-src 'self'")
    expect(page.text).not.toMatch(/https?:\/\//)
    for (const [, path] of page.text.matchAll(/(?:src|href)="([^"]+)"/g))
      expect([path, (await ask(api.gateway, new URL(path ?? '', 'http://localhost/docs').pathname)).status]).toEqual([path, 200])
    const { json } = await ask(api.gateway, '/openapi.json')
    expect(Object.keys(json.paths).sort()).toEqual([
      '/healthz',
      '/metrics',
      '/readyz',
      '/v1/acme/accounts',
      '/v1/backup',
      '/v1/certificates',
      '/v1/certificates/{id}/renew',
      '/v1/certificates/{id}/revoke',
      '/v1/dns-records',
      '/v1/doctor/{name}',
      '/v1/events',
      '/v1/metrics',
      '/v1/reload',
      '/v1/status',
      '/v1/workloads',
      '/v1/workloads/{id}',
    ])
    expect(json.paths['/v1/workloads/{id}'].put.requestBody.content['application/json'].schema).toEqual({
      $ref: '#/components/schemas/Wanted',
    })
    const references = [...JSON.stringify(json).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name)
    for (const name of references) expect(json.components.schemas).toHaveProperty(name ?? '')
  })
})

test('the handler can be mounted below a path of another server', async () => {
  const api = await startApi({ tcp: false })
  const app = new Hono().mount('/gateway', api.gateway.fetch)
  expect((await app.request('http://localhost/gateway/v1/workloads')).status).toBe(200)
  expect((await app.request('http://localhost/gateway/docs/start.js')).status).toBe(200)
  expect((await app.request('http://evil.example.org/gateway/v1/workloads')).status).toBe(403)
  await api.close()
})

test('two gateways in one process each answer for themselves', async () => {
  const [one, two] = await Promise.all([startApi(), startApi()])
  await ask(one.gateway, '/v1/workloads/x', { method: 'PUT', body: wanted('x.example.org') })
  expect((await send(one, '/v1/workloads/x')).status).toBe(200)
  expect((await send(two, '/v1/workloads/x')).status).toBe(404)
  await one.close()
  expect((await send(two, '/metrics')).status).toBe(200)
  await two.close()
})
