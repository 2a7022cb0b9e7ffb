import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { namedProxy } from './names.ts'
import { ask, startApi, wanted } from './parts.ts'

let api: Awaited<ReturnType<typeof startApi>>
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.close())
const put = (id: string, body: unknown, query = '', headers = {}) =>
  ask(api.gateway, `/v1/workloads/${id}${query}`, { method: 'PUT', body, headers })

describe('PUT and DELETE /v1/workloads/{id}', () => {
  test('a new workload is 201, a changed and an equal one 200, and all answer the route', async () => {
    const first = await put('p1', wanted('P1.example.org.'))
    expect(first.status).toBe(201)
    expect(first.json).toMatchObject({
      id: 'p1',
      kind: 'fqdn',
      host: 'p1.example.org',
      url: 'https://p1.example.org/',
      passthrough: false,
    })
    expect(Date.parse(first.json.applied)).toBeGreaterThan(0)
    expect(first.json.live).toBeUndefined()
    const changed = await put('p1', wanted('p1.example.org', 'http://10.0.0.2:80'))
    expect([changed.status, changed.json.backends]).toEqual([200, ['http://10.0.0.2:80']])
    const same = await put('p1', wanted('p1.example.org', 'http://10.0.0.2:80'))
    expect([same.status, same.headers.etag]).toEqual([200, changed.headers.etag])
    expect(first.headers.etag).not.toBe(changed.headers.etag)
  })

  test('a delete is 204, also of a workload that is not there', async () => {
    await put('d1', wanted('d1.example.org'))
    expect((await ask(api.gateway, '/v1/workloads/d1', { method: 'DELETE' })).status).toBe(204)
    expect((await ask(api.gateway, '/v1/workloads/d1', { method: 'DELETE' })).status).toBe(204)
    expect((await ask(api.gateway, '/v1/workloads/d1')).json).toMatchObject({ status: 404, code: 'NOT_FOUND' })
  })

  test('?plan says what would happen and does nothing', async () => {
    const plan = await put('plan', wanted('plan.example.org'), '?plan')
    expect(plan).toMatchObject({ status: 200, json: { route: { host: 'plan.example.org' }, problems: [] } })
    expect(plan.json.current).toBeUndefined()
    expect(api.gateway.routes.byHost('plan.example.org')).toBeUndefined()
    await put('plan', wanted('plan.example.org'))
    const taken = await put('other', wanted('plan.example.org'), '?plan=true')
    expect(taken.json.problems).toMatchObject([{ code: 'DOMAIN_TAKEN' }])
  })

  test('everything that is wrong comes back at once, each with what to do', async () => {
    const { status, headers, json } = await put('bad', {
      fqdn: 'no',
      backend: ['x'],
      backends: ['ftp://x', 1],
    })
    expect([status, headers['content-type']]).toEqual([400, 'application/problem+json'])
    const codes = json.problems.map(({ code }: { code: string }) => code)
    expect(codes).toEqual(expect.arrayContaining(['BAD_REQUEST', 'INVALID_FQDN', 'INVALID_BACKEND']))
    expect(json.problems[0]).toMatchObject({ message: "there is no field 'backend'", fix: "did you mean 'backends'?" })
    for (const { fix } of json.problems) expect(fix).not.toBe('')
    expect(json).toMatchObject({ code: codes[0], detail: json.problems[0].message, status: 400 })
  })

  test.each([
    [{ backends: ['http://10.0.0.1:80'] }, 'neither'],
    [{ ...wanted('a.example.org'), name: 'a' }, 'both'],
    [{ ...wanted('a.example.org'), id: 'other' }, "'id'"],
    [{ ...wanted('a.example.org'), do: 'delete' }, "'do'"],
  ])('%j is refused', async (body, why) => {
    const answer = await put('bad', body)
    expect([answer.status, answer.json.code]).toEqual([400, 'BAD_REQUEST'])
    expect(answer.json.detail).toContain(why)
  })

  test('06: an id that is no id is INVALID_ID, whatever the method', async () => {
    for (const id of ['a.b', 'a%2Fb', '%2e%2e', 'a%00', 'x'.repeat(129), 'a%0d%0ab', '%F0%9F%92%A9'])
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const answer = await ask(api.gateway, `/v1/workloads/${id}`, {
          method,
          ...(method === 'PUT' && { body: wanted('a.example.org') }),
        })
        expect([id, answer.status, answer.json.code]).toEqual([
          id,
          answer.json.status,
          id === '%2e%2e' ? 'NOT_FOUND' : 'INVALID_ID',
        ])
      }
    expect(api.gateway.routes.byHost('a.example.org')).toBeUndefined()
  })

  test('a name workload is served under the domain of the node', async () => {
    const named = await startApi({}, ...namedProxy('gw.example.org'))
    const answer = await ask(named.gateway, '/v1/workloads/1-1-shop', {
      method: 'PUT',
      body: { name: 'Shop', backends: ['http://10.0.0.1:80'] },
    })
    expect(answer).toMatchObject({
      status: 201,
      json: { kind: 'name', host: 'shop.gw.example.org', zone: 'gw.example.org', tenant: '1' },
    })
    await named.close()
  })

  test('?wait=live answers when it is served, with both times', async () => {
    const { status, json } = await put('live', { ...wanted('live.example.org', '10.0.0.1:443'), passthrough: true }, '?wait=live')
    expect(status).toBe(201)
    expect(Date.parse(json.live)).toBeGreaterThanOrEqual(Date.parse(json.applied))
  })
})

describe('ETag', () => {
  test('If-None-Match on a read answers 304 while nothing changed', async () => {
    const { headers } = await put('e1', wanted('e1.example.org'))
    const etag = headers.etag ?? ''
    const read = (value: string) => ask(api.gateway, '/v1/workloads/e1', { headers: { 'if-none-match': value } })
    expect(await read(etag)).toMatchObject({ status: 304, text: '', headers: { etag } })
    expect((await read(`"x", W/${etag}`)).status).toBe(304)
    expect((await read('"x"')).status).toBe(200)
    await put('e1', wanted('e1.example.org', 'http://10.0.0.9:80'))
    expect((await read(etag)).status).toBe(200)
  })

  test('If-Match lets through only who saw the last state', async () => {
    const etag = (await put('e2', wanted('e2.example.org'))).headers.etag ?? ''
    const body = wanted('e2.example.org', 'http://10.0.0.2:80')
    expect((await put('e2', body, '', { 'if-match': '"stale"' })).json).toMatchObject({
      status: 412,
      code: 'PRECONDITION_FAILED',
    })
    expect((await put('e2', body, '', { 'if-match': `W/${etag}` })).status).toBe(412)
    expect((await put('e2', body, '', { 'if-match': etag })).status).toBe(200)
    const remove = (value: string) => ask(api.gateway, '/v1/workloads/e2', { method: 'DELETE', headers: { 'if-match': value } })
    expect((await remove(etag)).status).toBe(412)
    expect((await remove('*')).status).toBe(204)
    expect((await remove('*')).status).toBe(412)
  })

  test('of fifty writes with the same If-Match, one wins', async () => {
    const etag = (await put('e3', wanted('e3.example.org'))).headers.etag ?? ''
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        put('e3', wanted('e3.example.org', `http://10.0.1.${i}:80`), '', { 'if-match': etag }),
      ),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array(49).fill(412)])
  })

  test('of fifty that create with If-None-Match: *, one wins', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => put('e4', wanted('e4.example.org'), '', { 'if-none-match': '*' })),
    )
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array(49).fill(412)])
  })
})

test('a delete, or another set, does not wait for one that waits to be live', async () => {
  const held = await startApi()
  const waiting = ask(held.gateway, '/v1/workloads/w?wait=live', { method: 'PUT', body: wanted('w.example.org') })
  for await (const { type } of held.gateway.events(0)) if (type === 'applied') break
  const body = wanted('w.example.org', 'http://10.0.0.2:80')
  expect((await ask(held.gateway, '/v1/workloads/w', { method: 'PUT', body })).status).toBe(200)
  const match = { 'if-match': (await ask(held.gateway, '/v1/workloads/w')).headers.etag ?? '' }
  expect((await ask(held.gateway, '/v1/workloads/w', { method: 'DELETE', headers: match })).status).toBe(204)
  await held.close()
  expect((await waiting).status).toBeGreaterThanOrEqual(200)
})

describe('GET /v1/workloads', () => {
  test('pages through all in order of id, each once', async () => {
    const list = await startApi()
    const ids = Array.from({ length: 25 }, (_, i) => `w-${String(i).padStart(2, '0')}`)
    await Promise.all(
      ids.map((id) => ask(list.gateway, `/v1/workloads/${id}`, { method: 'PUT', body: wanted(`${id}.example.org`) })),
    )
    const seen: string[] = []
    for (let query = '?limit=10'; query; ) {
      const { json } = await ask(list.gateway, `/v1/workloads${query}`)
      seen.push(...json.workloads.map(({ id }: { id: string }) => id))
      query = json.next === undefined ? '' : `?limit=10&after=${json.next}`
    }
    expect(seen).toEqual(ids)
    expect((await ask(list.gateway, '/v1/workloads?limit=25')).json.next).toBeUndefined()
    await list.close()
  })

  test('filters by tenant, host, kind and passthrough', async () => {
    const list = await startApi({}, ...namedProxy('gw.example.org'))
    const set = (id: string, body: unknown) => ask(list.gateway, `/v1/workloads/${id}`, { method: 'PUT', body })
    await set('1-1-a', { name: 'a', backends: ['http://10.0.0.1:80'] })
    await set('1-2-b', wanted('b.example.org'))
    await set('2-3-c', { ...wanted('c.example.org', '10.0.0.1:443'), passthrough: true })
    const found = async (query: string) =>
      (await ask(list.gateway, `/v1/workloads?${query}`)).json.workloads.map(({ id }: { id: string }) => id)
    expect(await found('tenant=1')).toEqual(['1-1-a'])
    expect(await found('kind=name')).toEqual(['1-1-a'])
    expect(await found('kind=fqdn')).toEqual(['1-2-b', '2-3-c'])
    expect(await found('passthrough=true')).toEqual(['2-3-c'])
    expect(await found('host=B.Example.Org.')).toEqual(['1-2-b'])
    expect(await found('kind=fqdn&passthrough=false')).toEqual(['1-2-b'])
    expect(await found('host=nobody.example.org')).toEqual([])
    await list.close()
  })

  test.each([
    'limit=0',
    'limit=1001',
    'limit=x',
    'limit=',
    'kind=tcp',
    'passthrough=yes',
    'after=a.b',
    'tenat=1',
    'tenant=1&tenant=2',
  ])('?%s is refused', async (query) => {
    expect((await ask(api.gateway, `/v1/workloads?${query}`)).json).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
  })
})
