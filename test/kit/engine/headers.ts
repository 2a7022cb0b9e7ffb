import { expect } from 'vitest'
import type { Seen } from '../backends/http.ts'
import { backend, type Cases } from './cases.ts'

const lies = {
  'X-Forwarded-For': '6.6.6.6',
  X_Forwarded_For: '6.6.6.6',
  'x-forwarded_for': '6.6.6.6',
  'X-Forwarded-Proto': 'gopher',
  'X-Forwarded-Host': 'evil.test',
  X_FORWARDED_HOST: 'evil.test',
  'X-Forwarded-Port': '666',
  'X-Forwarded-Server': 'evil.test',
  'X-Forwarded-Prefix': '/evil.test',
  'X-Real-Ip': '6.6.6.6',
  X_Real_Ip: '6.6.6.6',
  Forwarded: 'for=6.6.6.6;host=evil.test;proto=gopher',
}
const lied = /6\.6\.6\.6|evil\.test|gopher|^666$/
const liesSeen = ({ headers }: Seen) => headers.filter(([, value]) => lied.test(value))

/** What the engine adds to requests and answers, and what it keeps to itself. */
export const headers: Cases = {
  'tells the backend who asks, for which host, over what': async (open) => {
    const world = await open()
    const web = await backend()
    await world.set('1-1-a', 'a.test', [web.url])
    await world.get('a.test')
    await (await world.h2('a.test')).request({ headers: {} })
    await (await world.h1('a.test', {}, { host: '::1' })).request('GET /', { Host: 'a.test' })
    const told = web.requests.map(({ header }) => ['for', 'proto', 'host'].map((name) => header(`x-forwarded-${name}`)))
    expect(told).toEqual([
      ['127.0.0.1', 'https', 'a.test'],
      ['127.0.0.1', 'https', 'a.test'],
      ['::1', 'https', 'a.test'],
    ])
  },

  'replaces whatever the client says of itself, in any spelling': async (open) => {
    const world = await open()
    const web = await backend()
    await world.set('1-1-a', 'a.test', [web.url])
    await world.get('a.test', '/', lies)
    await (await world.h2('a.test')).request({ headers: lies })
    expect(web.requests.map(liesSeen)).toEqual([[], []])
    for (const { header } of web.requests) expect(header('x-forwarded-for')).toBe('127.0.0.1')
  },

  'replaces it also where several fields of one name come': async (open) => {
    const world = await open()
    const web = await backend()
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    const twice =
      'X-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: 6.6.6.6, 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nforwarded: for=6.6.6.6\r\n'
    await client.send(`GET / HTTP/1.1\r\nHost: a.test\r\n${twice}\r\n`)
    expect((await client.answer()).status).toBe(200)
    expect(web.requests.map(liesSeen)).toEqual([[]])
  },

  'tells the backend who asks even where the client lists that field in Connection': async (open) => {
    const world = await open()
    const web = await backend()
    await world.set('1-1-a', 'a.test', [web.url])
    const names = 'X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host, Host, Cookie, Content-Length'
    const client = await world.h1('a.test')
    const answer = await client.request('POST /', { Host: 'a.test', Connection: names, ...lies }, 'body')
    if (answer.status === 400) return
    const [{ header } = await Promise.reject(new Error('nothing came'))] = web.requests
    expect([header('x-forwarded-for'), header('x-forwarded-proto'), header('host')]).toEqual(['127.0.0.1', 'https', 'a.test'])
    expect([header('content-length'), header('transfer-encoding')]).not.toEqual([undefined, undefined])
  },

  'keeps and adds to what a trusted proxy says': async (open) => {
    const world = await open({ trustedProxies: ['127.0.0.9/32'] })
    const web = await backend()
    await world.set('1-1-a', 'a.test', [web.url])
    const said = { Host: 'a.test', 'X-Forwarded-For': '6.6.6.6', 'X-Forwarded-Proto': 'https' }
    await (await world.h1('a.test', {}, { from: '127.0.0.9' })).request('GET /', said)
    await (await world.h1('a.test', {}, { from: '127.0.0.8' })).request('GET /', said)
    expect(web.requests.map(({ header }) => header('x-forwarded-for'))).toEqual(['6.6.6.6, 127.0.0.9', '127.0.0.8'])
  },

  'drops what is meant for one hop, of requests': async (open) => {
    const world = await open()
    const web = await backend()
    await world.set('1-1-a', 'a.test', [web.url])
    const hop = {
      Connection: 'keep-alive, X-Hop',
      'X-Hop': 'hop',
      'Keep-Alive': 'timeout=5',
      'Proxy-Connection': 'keep-alive',
      TE: 'gzip',
    }
    expect((await world.get('a.test', '/', { ...hop, 'X-Stays': 'stays' })).status).toBe(200)
    const names = web.requests[0]?.headers.map(([name]) => name.toLowerCase()) ?? []
    expect(names.filter((name) => ['x-hop', 'keep-alive', 'proxy-connection', 'te', 'upgrade'].includes(name))).toEqual([])
    expect(web.requests[0]?.header('connection') ?? '').not.toMatch(/x-hop/i)
    expect(names).toContain('x-stays')
  },

  'drops what is meant for one hop, of answers': async (open) => {
    const world = await open()
    const web = await backend((_, response) => {
      response.setHeader('Connection', 'X-Hop, keep-alive')
      response.setHeader('X-Hop', 'hop')
      response.setHeader('Keep-Alive', 'timeout=777')
      response.setHeader('Proxy-Connection', 'keep-alive')
      response.setHeader('X-Stays', 'stays')
      response.end('ok')
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const one = await world.get('a.test')
    expect([one.header('x-hop'), one.header('proxy-connection'), one.header('x-stays')]).toEqual([undefined, undefined, 'stays'])
    expect(one.header('keep-alive') ?? '').not.toContain('777')
    const { headers: two } = await (await world.h2('a.test')).request({ headers: {} })
    const hops = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'x-hop']
    expect(hops.filter((name) => name in two)).toEqual([])
    expect(two['x-stays']).toBe('stays')
  },

  'passes all other fields on, of requests and of answers': async (open) => {
    const world = await open()
    const web = await backend((_, response) => {
      response.writeHead(200, 'Fine', [
        'Set-Cookie',
        'a=1; Path=/',
        'Set-Cookie',
        'b=2',
        'X-Empty',
        '',
        'X-Latin',
        'caf\xe9',
        'Server',
        'tenant',
      ])
      response.end('ok')
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const sent = {
      Accept: '*/*',
      Cookie: 'a=1; b=2',
      'X-Empty': '',
      'X-Latin': 'caf\xe9',
      Authorization: 'Bearer x',
      'If-None-Match': '"1"',
    }
    const one = await world.get('a.test', '/', sent)
    expect(one.headers.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value)).toEqual([
      'a=1; Path=/',
      'b=2',
    ])
    expect(['x-empty', 'x-latin', 'server'].map(one.header)).toEqual(['', 'caf\xe9', 'tenant'])
    const [seen] = web.requests
    for (const [name, value] of Object.entries(sent)) expect([name, seen?.header(name)]).toEqual([name, value])
    const two = await (await world.h2('a.test')).request({ headers: {} })
    expect(two.headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2'])
  },

  'joins the cookies that HTTP/2 sends apart': async (open) => {
    const world = await open()
    const web = await backend()
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h2('a.test')
    const many = Array.from({ length: 200 }, (_, at) => `cookie${at}=${at}`)
    for (const [at, cookie] of [['a=1', 'b=2', 'c=3'], many].entries()) {
      expect((await client.request({ headers: { cookie } })).status).toBe(200)
      const came = web.requests[at]?.headers.filter(([name]) => name.toLowerCase() === 'cookie')
      expect(came?.map(([, value]) => value)).toEqual([cookie.join('; ')])
    }
  },
}
