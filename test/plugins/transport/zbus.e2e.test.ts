import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { expect, it, onTestFinished, vi } from 'vitest'
import { createGateway } from '../../../core/index.ts'
import { decode } from '../../../lib/zbus/index.ts'
import { level, nameProxy, staticNode, zbus } from '../../../plugins/index.ts'
import { findBroker } from '../../../plugins/transport/zbus/find-broker.ts'
import { anyTls, tableEngine } from '../../core/parts.ts'
import { bytes, hex, vectors } from '../../lib/zbus/vectors.ts'
import { type Answer, ask, call, dataOf, gateway, gatewayObject, manager, newRoot, plain, redis, request } from './zbus-parts.ts'

const start = async () => {
  const server = await redis()
  const running = await gateway(server.broker.unix, newRoot(), { more: [anyTls()] })
  return { server, running, client: plain(server.path) }
}
const vector = (name: string) => {
  const { request, response, object } = vectors[name]!
  const payload = bytes(request)
  const { ReplyTo } = decode(payload) as { ReplyTo: string }
  return { payload, response, queue: `gateway.${object}`, replyTo: ReplyTo }
}

it('answers byte for byte as the Go server does', async () => {
  const { client } = await start()
  for (const name of [
    'set name, struct form',
    'delete',
    'unknown method',
    'set fqdn, struct form',
    'set fqdn, four arguments',
  ] as const) {
    const { payload, response, queue, replyTo } = vector(name)
    expect(hex(await ask(client, queue, payload, replyTo)), name).toBe(response)
  }
  await call(client, manager, 'DeleteNamedProxy', '40-1976-workloadname')
  const { payload, response, queue, replyTo } = vector('set name, four arguments')
  expect(hex(await ask(client, queue, payload, replyTo))).toBe(response)
})

it('puts what is wrong with the arguments into Output.Error in the words of the Go server, beside data that decodes', async () => {
  const { client } = await start()
  for (const name of ['wrong count', 'wrong type', 'wrong type list', 'undecodable argument']) {
    const { payload, response, queue, replyTo } = vector(name)
    const theirs = decode(bytes(response)) as Answer
    const ours = decode(await ask(client, queue, payload, replyTo)) as Answer
    const named = vectors[name]!.method === 'SetNamedProxy'
    expect(ours).toEqual({
      ID: theirs.ID,
      Output: { Data: named ? Buffer.of(0xa0) : null, Error: { Message: theirs.Error } },
      Error: null,
    })
  }
  expect((await call(client, manager, 'SetFQDNProxy', 'a')).Output.Error?.Message).toBe(
    'invalid number of arguments expecting 2 got 1',
  )
  expect((await call(client, manager, 'SetFQDNProxy', 'a', 'b')).Output.Error?.Message).toBe(
    'invalid argument type [1] expecting zos.GatewayFQDNProxy got',
  )
})

it('keeps the words of the reference where it refuses, names every problem, and what to do', async () => {
  const { client } = await start()
  for (const name of ['method error', 'nil backends']) {
    const { payload, queue, replyTo } = vector(name)
    const answer = decode(await ask(client, queue, payload, replyTo)) as Answer
    expect(answer.Error).toBeNull()
    expect(answer.Output.Data).toEqual(Buffer.of(0xa0))
    expect(answer.Output.Error?.Message).toContain('INVALID_BACKEND: backends list can not be empty (')
  }
  const { Output } = await call(client, gatewayObject, 'SetNamedProxy', '../x', 'a b', ['http://10.1.2.3'], false)
  expect(Output.Error?.Message).toMatch(/INVALID_ID: .*; INVALID_NAME: /)
})

it('deletes an id that no workload can have as the Go module does: nothing of it is served', async () => {
  const { client } = await start()
  for (const id of ['', '../x', '__proto__', 'a b', 'x'.repeat(5_000), Buffer.of(0xff)])
    expect((await call(client, manager, 'DeleteNamedProxy', id)).Output).toEqual({ Data: null, Error: null })
  expect((await call(client, manager, 'DeleteNamedProxy', 7)).Output.Error?.Message).toBe(
    'invalid argument type [0] expecting string got',
  )
})

it('counts arguments beyond any method, and passes over maps with keys that are no text', async () => {
  const { client } = await start()
  const many = Array.from({ length: 100 }, () => 'a')
  expect((await call(client, manager, 'SetNamedProxy', ...many)).Output.Error?.Message).toBe(
    'invalid number of arguments expecting 2 got 100',
  )
  const later = new Map<unknown, unknown>([
    [1, 2.5],
    [null, new Map([[[1], true]])],
  ])
  const config = { Backends: ['http://10.1.2.3:9000'], Name: 'a', Later: later }
  expect(dataOf(await call(client, manager, 'SetNamedProxy', 'w1', config))).toBe('a.gw.example.org')
  const bytes = { Backends: ['http://10.1.2.3:9000'], Name: Buffer.of(0x61, 0xff) }
  expect((await call(client, manager, 'SetNamedProxy', 'w2', bytes)).Output.Error?.Message).toContain('INVALID_NAME')
})

it('takes both forms on both objects, and nil, absent and unknown fields', async () => {
  const { client, running } = await start()
  const config = { Backends: ['http://10.1.2.3:9000'], Name: 'a', Network: null, Later: 1 }
  expect(dataOf(await call(client, gatewayObject, 'SetNamedProxy', 'w1', config))).toBe('a.gw.example.org')
  expect(dataOf(await call(client, manager, 'SetNamedProxy', 'w2', 'b', ['http://10.1.2.3'], null))).toBe('b.gw.example.org')
  const passed = await call(client, gatewayObject, 'SetFQDNProxy', 'w3', {
    TLSPassthrough: true,
    Backends: ['10.1.2.3:443'],
    FQDN: 'a.org',
  })
  expect(passed).toMatchObject({ Output: { Data: null, Error: null }, Error: null })
  expect([...running.routes.all()].map(({ id, host, passthrough }) => [id, host, passthrough])).toEqual([
    ['w1', 'a.gw.example.org', false],
    ['w2', 'b.gw.example.org', false],
    ['w3', 'a.org', true],
  ])
})

it('answers metrics with two maps, also where there is nothing in them', async () => {
  const { client } = await start()
  expect(dataOf(await call(client, manager, 'Metrics'))).toEqual({ Request: {}, Response: {} })
})

it('answers the status while every worker is busy', async () => {
  const server = await redis()
  const engine = tableEngine()
  const open = Promise.withResolvers<void>()
  const entered = Promise.withResolvers<void>()
  engine.state.before = async () => {
    entered.resolve()
    await open.promise
  }
  await gateway(server.broker.unix, newRoot(), { engine, more: [anyTls()], workers: 1 })
  const client = plain(server.path)
  const busy = request(manager, 'SetNamedProxy', ['w1', { Backends: ['http://10.1.2.3'], Name: 'a' }])
  await client.rpush(busy.queue, busy.payload)
  await entered.promise
  const status = dataOf(await call(client, { name: 'zbus', version: '1.0' }, '')) as { Objects: unknown; Workers: unknown }
  expect(status.Objects).toEqual([
    { Name: 'manager', Version: '0.0.1' },
    { Name: 'gateway', Version: '0.0.1' },
  ])
  expect(status.Workers).toEqual([{ State: 'busy', StartTime: expect.any(Date), Action: '[manager@0.0.1].SetNamedProxy()' }])
  open.resolve()
  expect(await client.blpop(busy.id, 20)).not.toBeNull()
})

it('leaves answers for 300 s', async () => {
  const { client } = await start()
  const asked = request(manager, 'DeleteNamedProxy', ['w1'])
  await client.config('SET', 'notify-keyspace-events', 'KEA')
  const events = client.duplicate()
  await events.subscribe(`__keyspace@0__:${asked.id}`)
  const seen: string[] = []
  const expired = new Promise<void>((done) =>
    events.on('message', (_, event) => seen.push(event) && event === 'expire' && done()),
  )
  await client.rpush(asked.queue, asked.payload)
  await expired
  events.disconnect()
  expect(seen).toEqual(['rpush', 'expire'])
  expect(await client.ttl(asked.id)).toBeGreaterThan(290)
})

it('finds a Redis that answers without a password, and no other', async () => {
  const [closed, open] = [await redis(['--requirepass', 's3cret']), await redis()]
  expect(await findBroker([closed.broker.unix, open.broker.tcp])).toBe(open.broker.tcp)
  expect(await findBroker([closed.broker.tcp])).toBeUndefined()
  expect(await findBroker([closed.broker.tcp], true)).toBe(closed.broker.tcp)
})

it('has the password of its broker from a file or from the environment', async () => {
  const server = await redis(['--requirepass', 's3cret'])
  const root = newRoot()
  const file = join(root, 'password')
  writeFileSync(file, 's3cret\n', { mode: 0o600 })
  vi.stubEnv('A_PASSWORD', 's3cret')
  onTestFinished(() => void vi.unstubAllEnvs())
  const transports = [
    zbus({ broker: server.broker.unix, password: { file } }),
    zbus({ broker: server.broker.tcp, password: { env: 'A_PASSWORD' } }),
  ]
  for (const transport of transports) {
    const plugins = [level(), staticNode({ domain: 'gw.example.org' }), nameProxy(), anyTls(), tableEngine().plugin, transport]
    const gateway = await createGateway({ plugins }, { root: newRoot() })
    const client = new Redis({ path: server.path, password: 's3cret', protocol: 2 })
    expect(await call(client, manager, 'DeleteNamedProxy', 'w1')).toMatchObject({ Output: { Error: null } })
    expect(JSON.stringify(gateway.status())).not.toContain('s3cret')
    client.disconnect()
    await gateway.close()
  }
})

it('does not start with a password that cannot be read', async () => {
  const plugins = [level(), tableEngine().plugin, zbus({ password: { file: '/nowhere/password' } })]
  await expect(createGateway({ plugins }, { root: newRoot() })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('/nowhere/password cannot be read'),
  })
})

it('says once that its broker is away, however many tries fail, and once that it is back', async () => {
  const server = await redis()
  await server.stop()
  const logged: string[] = []
  const plugins = [level(), tableEngine().plugin, zbus({ broker: server.broker.unix })]
  const gateway = await createGateway({ plugins }, { root: newRoot(), log: (_, message) => void logged.push(message) })
  onTestFinished(gateway.close)
  const said = (text: string) => logged.filter((message) => message.includes(`zbus ${text}`)).length
  await expect.poll(() => said('has no broker')).toBeGreaterThan(0)
  await server.start()
  await expect.poll(() => said('is back'), { timeout: 20_000 }).toBe(1)
  expect(said('has no broker')).toBe(1)
})

it('loses nothing when a reload replaces it', async () => {
  const server = await redis()
  const root = newRoot()
  let workers = 4
  const config = () => ({ plugins: [...plugins, zbus({ broker: server.broker.unix, workers })] })
  const plugins = [
    level(),
    staticNode({ ipv4: '198.51.100.7', domain: 'gw.example.org' }),
    nameProxy(),
    anyTls(),
    tableEngine().plugin,
  ]
  const running = await createGateway(config(), { root, source: async () => config() })
  onTestFinished(running.close)
  const client = plain(server.path)
  const requests = Array.from({ length: 300 }, (_, n) =>
    request(manager, 'SetNamedProxy', [`w${n}`, { Backends: ['http://10.1.2.3'], Name: `n${n}` }]),
  )
  for (const [n, { queue, payload }] of requests.entries()) {
    await client.rpush(queue, payload)
    if (n % 100 !== 50) continue
    workers++
    expect((await running.reload()).replaced).toEqual(['transport/zbus'])
  }
  for (const [n, { id }] of requests.entries()) {
    const popped = await client.blpopBuffer(id, 20)
    expect(dataOf(decode(popped?.[1] ?? Buffer.alloc(0)) as Answer)).toBe(`n${n}.gw.example.org`)
  }
  expect(running.routes.size).toBe(300)
  await expect.poll(async () => (await client.keys('*')).filter((key) => !key.endsWith('.guard'))).toEqual([])
})
