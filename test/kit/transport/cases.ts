import { expect } from 'vitest'
import { echoBody } from '../backends/http.ts'
import { http1 } from '../clients/h1.ts'
import { openTls } from '../clients/socket.ts'
import { backend, becomes } from '../engine/cases.ts'
import { defer, idOf } from '../engine/world.ts'
import { badInput } from './bad-input.ts'
import { type Caller, Refused } from './caller.ts'
import type { OpenStand } from './stand.ts'

export type TransportCases = Readonly<Record<string, (open: OpenStand) => Promise<void>>>

const web = { backends: ['http://127.0.0.1:9000'] }
const codeOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'ok',
    (error: unknown) => (error instanceof Refused ? error.code : `not a refusal: ${String(error)}`),
  )

/** What every transport carries, however it does it. */
export const transportCases: TransportCases = {
  'sets both kinds of workload and deletes them': async (open) => {
    const { gateway, caller } = await open()
    await caller.set('set-fqdn', '1-1-fqdn', { fqdn: 'shop.test', ...web })
    const host = await caller.set('set-name', '1-1-name', { name: 'shop', ...web })
    expect([undefined, 'shop.gw.test']).toContain(host)
    await caller.set('set-fqdn', '1-1-pass', { fqdn: 'pass.test', backends: ['127.0.0.1:9443'], passthrough: true })
    const routes = [...gateway.routes.all()].map(({ id, host, backends, passthrough }) => ({ id, host, backends, passthrough }))
    expect(routes.sort((a, b) => a.id.localeCompare(b.id))).toEqual([
      { id: '1-1-fqdn', host: 'shop.test', backends: ['http://127.0.0.1:9000'], passthrough: false },
      { id: '1-1-name', host: 'shop.gw.test', backends: ['http://127.0.0.1:9000'], passthrough: false },
      { id: '1-1-pass', host: 'pass.test', backends: ['127.0.0.1:9443'], passthrough: true },
    ])
    for (const { id } of routes) await caller.delete(id)
    expect(gateway.routes.size).toBe(0)
  },

  'takes a host in any case and with a trailing dot as the same host': async (open) => {
    const { gateway, caller } = await open()
    await caller.set('set-fqdn', '1-1-a', { fqdn: 'Shop.Test.', ...web })
    expect(gateway.routes.get(idOf('1-1-a'))?.host).toBe('shop.test')
    expect(await codeOf(caller.set('set-fqdn', '2-1-b', { fqdn: 'SHOP.test', ...web }))).toBe('DOMAIN_TAKEN')
  },

  'takes the same Set twice as once, and another Set of the id as a change': async (open) => {
    const { gateway, caller } = await open()
    for (let round = 0; round < 2; round++) await caller.set('set-fqdn', '1-1-a', { fqdn: 'a.test', ...web })
    expect(gateway.routes.size).toBe(1)
    await caller.set('set-fqdn', '1-1-a', { fqdn: 'b.test', backends: ['http://127.0.0.1:9001', 'http://127.0.0.1:9002'] })
    expect(gateway.routes.size).toBe(1)
    expect(gateway.routes.get(idOf('1-1-a'))).toMatchObject({
      host: 'b.test',
      backends: ['http://127.0.0.1:9001', 'http://127.0.0.1:9002'],
    })
  },

  'takes a delete twice, and of what never was, as done': async (open) => {
    const { gateway, caller } = await open()
    await caller.set('set-fqdn', '1-1-a', { fqdn: 'a.test', ...web })
    for (const id of ['1-1-a', '1-1-a', '9-9-never']) expect(await codeOf(caller.delete(id))).toBe('ok')
    expect(gateway.routes.size).toBe(0)
  },

  'answers bad input by the code that says what is wrong, and changes nothing': async (open) => {
    const { gateway, caller, inexpressible } = await open()
    const found: Record<string, string> = {}
    const wanted: Record<string, string> = {}
    for (const [row, { what, id, fields, code }] of Object.entries(badInput)) {
      if (inexpressible.includes(row)) continue
      wanted[row] = code
      found[row] = await codeOf(what === 'delete' ? caller.delete(id) : caller.set(what, id, fields))
    }
    expect(found).toEqual(wanted)
    expect(gateway.routes.size).toBe(0)
    expect(await codeOf(caller.set('set-fqdn', '1-1-a', { fqdn: 'a.test', ...web }))).toBe('ok')
  },

  'names every problem of an operation at once, each on one line of plain text': async (open) => {
    const { caller } = await open()
    const fields = { fqdn: 'a\u001b[31m\n.test', backends: ['http://127.1', 'ftp://\u2028'] }
    const error = await caller.set('set-fqdn', '../x', fields).then(
      () => new Error('it was taken'),
      (refused: Error) => refused,
    )
    const text = error.message
    for (const part of ['workload id', 'fqdn', '127.1', 'ftp']) expect(text).toContain(part)
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u2028\u2029]/)
  },

  'refuses a host that another workload has, and gives it when that is gone': async (open) => {
    const { gateway, caller } = await open()
    await caller.set('set-name', '1-1-a', { name: 'shop', ...web })
    expect(await codeOf(caller.set('set-name', '2-1-b', { name: 'shop', ...web }))).toBe('DOMAIN_TAKEN')
    expect(gateway.routes.byHost('shop.gw.test')?.id).toBe('1-1-a')
    await caller.delete('1-1-a')
    expect(await codeOf(caller.set('set-name', '2-1-b', { name: 'shop', ...web }))).toBe('ok')
  },

  'gives a host that many ask for at once to one of them': async (open) => {
    const { gateway, caller } = await open()
    const ids = Array.from({ length: 12 }, (_, at) => `${at}-1-race`)
    const codes = await Promise.all(ids.map((id) => codeOf(caller.set('set-fqdn', id, { fqdn: 'one.test', ...web }))))
    expect(codes.filter((code) => code === 'ok')).toHaveLength(1)
    expect(codes.filter((code) => code === 'DOMAIN_TAKEN')).toHaveLength(11)
    expect(gateway.routes.byHost('one.test')?.id).toBe(ids[codes.indexOf('ok')])
  },

  'carries the operations of many callers at once': async (open) => {
    const { gateway, connect } = await open()
    const callers = await Promise.all(Array.from({ length: 16 }, connect))
    await Promise.all(
      callers.map(async (caller: Caller, who) => {
        for (let at = 0; at < 10; at++)
          await caller.set('set-name', `${who}-${at}-many`, { name: `host${at}-tenant${who}`, ...web })
      }),
    )
    expect(gateway.routes.size).toBe(160)
    await Promise.all(
      callers.map((caller, who) => Promise.all(Array.from({ length: 10 }, (_, at) => caller.delete(`${who}-${at}-many`)))),
    )
    expect(gateway.routes.size).toBe(0)
  },

  'carries out what one caller sends for a workload in the order in which it was sent': async (open) => {
    const { gateway, caller } = await open()
    for (let round = 0; round < 5; round++) {
      const set = (port: number) => caller.set('set-fqdn', '1-1-a', { fqdn: 'a.test', backends: [`http://127.0.0.1:${port}`] })
      await Promise.all([set(9_001), set(9_002), caller.delete('1-1-a'), set(9_003), set(9_004 + round)])
      expect(gateway.routes.get(idOf('1-1-a'))?.backends).toEqual([`http://127.0.0.1:${9_004 + round}`])
      await Promise.all([set(9_001), caller.delete('1-1-a')])
      expect(gateway.routes.size).toBe(0)
    }
  },

  'tells the bytes of each workload': async (open) => {
    const { caller, stand, gateway } = await open()
    expect(await caller.metrics()).toEqual({})
    const server = await backend(echoBody)
    await caller.set('set-fqdn', '1-1-a', { fqdn: 'a.test', backends: [server.url] })
    await gateway.dispatch(
      { do: 'set-fqdn', id: idOf('1-1-a'), fqdn: 'a.test', backends: [server.url], passthrough: false },
      { wait: 'live' },
    )
    const client = http1(await openTls({ port: stand.https }, { name: 'a.test' }))
    defer(client.close)
    await client.request('POST /', { Host: 'a.test' }, 'x'.repeat(1_234))
    await becomes(async () => (await caller.metrics())['1-1-a'], { request: 1_234, response: 1_234 })
  },

  'says in a plan what a Set would do, and does nothing': async (open) => {
    const { gateway, caller } = await open()
    if (caller.plan === undefined) return
    expect(await caller.plan('set-fqdn', '1-1-a', { fqdn: 'a.test', ...web })).toEqual([])
    expect(await caller.plan('set-fqdn', '1-1-a', { fqdn: 'a.test', backends: ['http://169.254.1.1'] })).toContain(
      'BACKEND_FORBIDDEN',
    )
    await caller.set('set-fqdn', '2-1-b', { fqdn: 'b.test', ...web })
    expect(await caller.plan('set-fqdn', '1-1-a', { fqdn: 'b.test', ...web })).toContain('DOMAIN_TAKEN')
    expect([...gateway.routes.all()].map(({ id }) => id)).toEqual(['2-1-b'])
  },
}
