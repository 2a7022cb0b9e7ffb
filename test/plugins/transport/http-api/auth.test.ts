import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type HttpApiOptions, httpApi } from '../../../../plugins/index.ts'
import { ask, send, startApi, wanted } from './parts.ts'

const hashOf = (token: string) => `sha256:${createHash('sha256').update(token).digest('hex')}`
const tokens = [
  { hash: hashOf('gwt_writer'), scope: 'write' as const, name: 'deployer' },
  { hash: hashOf('gwt_reader'), scope: 'read' as const },
  { hash: hashOf('gwt_old'), scope: 'write' as const, expires: '2020-01-01T00:00:00Z' },
  { hash: hashOf('gwt_future'), scope: 'write' as const, expires: '2999-01-01' },
]
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

describe('38: bearer tokens', () => {
  let api: Awaited<ReturnType<typeof startApi>>
  beforeAll(async () => {
    api = await startApi({ tokens })
  })
  afterAll(() => api.close())
  const put = (headers: Record<string, string>) =>
    send(api, '/v1/workloads/t', { method: 'PUT', body: wanted('t.example.org'), headers })

  test.each([
    [{}, 401],
    [bearer('gwt_nobody'), 401],
    [bearer(hashOf('gwt_writer')), 401],
    [bearer('gwt_old'), 401],
    [{ authorization: 'Bearer' }, 401],
    [{ authorization: 'gwt_writer' }, 401],
    [{ authorization: 'Basic Z3d0X3dyaXRlcjo=' }, 401],
    [{ authorization: 'Bearer gwt_writer gwt_writer' }, 401],
    [{ authorization: `Bearer ${'x'.repeat(8000)}` }, 401],
    [{ cookie: 'authorization=Bearer gwt_writer' }, 401],
    [bearer('gwt_reader'), 403],
    [{ ...bearer('gwt_writer'), host: 'evil.example.org' }, 403],
    [bearer('gwt_writer'), 201],
    [{ authorization: 'bearer gwt_future' }, 200],
  ])('a write with %j is %d', async (headers, status) => {
    const answer = await put(headers as Record<string, string>)
    expect(answer.status).toBe(status)
    if (status === 401) {
      expect(answer.json.code).toBe('UNAUTHORIZED')
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/)
    }
  })

  test('event streams are counted by token, and never the operator’s', async () => {
    const stop = new AbortController()
    const open = (token: string) => fetch(`${api.url}/v1/events`, { headers: bearer(token), signal: stop.signal })
    const streams = await Promise.all(Array.from({ length: 128 }, () => open('gwt_reader')))
    expect(streams.every(({ status }) => status === 200)).toBe(true)
    const refused = await open('gwt_reader')
    expect([refused.status, await refused.json()]).toEqual([429, expect.objectContaining({ code: 'LIMIT' })])
    expect((await open('gwt_writer')).status).toBe(200)
    expect((await send(api, '/v1/events?follow=false&since=0')).status).toBe(401)
    for (let n = 0; n < 3; n++) expect((await send({ socket: api.socket }, '/v1/events?follow=false&since=0')).status).toBe(200)
    stop.abort()
    await expect
      .poll(async () => (await send(api, '/v1/events?follow=false', { headers: bearer('gwt_reader') })).status)
      .toBe(200)
  })

  test('reading needs a token of any scope; probes and the description need none', async () => {
    const status = async (path: string, headers = {}) => (await send(api, path, { headers })).status
    for (const path of ['/v1/workloads', '/v1/status', '/v1/events', '/metrics', '/v1/certificates', '/nothing']) {
      expect([path, await status(path)]).toEqual([path, 401])
      if (path !== '/v1/events' && path !== '/nothing')
        expect([path, await status(path, bearer('gwt_reader'))]).toEqual([path, 200])
    }
    for (const path of ['/healthz', '/readyz', '/openapi.json', '/docs']) expect([path, await status(path)]).toEqual([path, 200])
    expect((await send(api, '/readyz')).text).not.toContain(api.root)
  })

  test('the unix socket needs none; a mounted handler does', async () => {
    expect((await send({ socket: api.socket }, '/v1/status')).status).toBe(200)
    expect((await ask(api.gateway, '/v1/status')).status).toBe(401)
    expect((await ask(api.gateway, '/v1/status', { headers: bearer('gwt_reader') })).status).toBe(200)
  })

  test('a change stands in the log with the name of the token that made it', async () => {
    await put(bearer('gwt_writer'))
    const lines = api.log.filter((line) => line.includes('deployer'))
    expect(lines.at(-1)).toMatch(/PUT \/v1\/workloads\/t.*"by":"deployer","status":20[01]/)
    await send(api, '/v1/workloads', { headers: bearer('gwt_writer') })
    expect(api.log.filter((line) => line.includes('deployer'))).toHaveLength(lines.length)
  })

  test('36: no token and no hash stands in the log, in the status or in an answer', async () => {
    await put(bearer('gwt_writer'))
    await put(bearer('gwt_unknown_canary'))
    const answers = await Promise.all(
      ['/v1/status', '/v1/events?since=0&follow=false', '/openapi.json', '/metrics', '/nothing'].map((path) =>
        send(api, path, { headers: bearer('gwt_reader') }),
      ),
    )
    const said = [...api.log, ...answers.map(({ text }) => text)].join('\n')
    for (const secret of ['gwt_', ...tokens.map(({ hash }) => hash.slice(7))]) expect(said).not.toContain(secret)
  })
})

describe('httpApi() refuses where its line stands', () => {
  const bad: [HttpApiOptions, RegExp][] = [
    [{ tcp: { host: '0.0.0.0', port: 8070 } }, /no tokens/],
    [{ tcp: { host: '::', port: 8070 } }, /no tokens/],
    [{ tcp: { host: '192.0.2.1', port: 8070 } }, /no tokens/],
    [{ tcp: { host: '128.0.0.1', port: 8070 } }, /no tokens/],
    [{ tcp: { host: 'example.org', port: 8070 } }, /no IP address/],
    [{ tcp: { port: 65_536 } }, /tcp\.port/],
    [{ tcp: { port: 1.5 } }, /tcp\.port/],
    [{ tokens: [{ hash: 'gwt_itself', scope: 'read' }] }, /tokens\[0\]\.hash/],
    [{ tokens: [{ hash: `sha256:${'A'.repeat(64)}`, scope: 'read' }] }, /tokens\[0\]\.hash/],
    [{ tokens: [{ hash: hashOf('x'), scope: 'admin' as 'read' }] }, /scope/],
    [{ tokens: [{ hash: hashOf('x'), scope: 'read', expires: 'soon' }] }, /expires/],
    [{ socket: 'relative.sock' }, /absolute path/],
    [{ socket: `/${'x'.repeat(107)}` }, /107/],
    [{ allowHosts: ['a b'] }, /allowHosts/],
    [{ allowHosts: ['example.org:80'] }, /allowHosts/],
    [{ maxParallel: 0 }, /maxParallel/],
    [{ heartbeat: 0 }, /heartbeat/],
  ]
  test.each(bad)('%j', (options, why) => {
    expect(() => httpApi(options)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(why) }),
    )
  })

  test('and takes an open address once there is a token', () => {
    expect(() => httpApi({ tcp: { host: '0.0.0.0', port: 8070 }, tokens })).not.toThrow()
    expect(() => httpApi({ tcp: { host: '::1', port: 0 } })).not.toThrow()
  })
})
