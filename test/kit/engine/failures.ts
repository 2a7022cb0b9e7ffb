import { expect } from 'vitest'
import { readHead } from '../backends/raw.ts'
import { backend, becomes, bytesBackend, type Cases } from './cases.ts'

/** Backends that fail, and what that is to their clients and to everybody else. */
export const failures: Cases = {
  'answers 502 where the backend refuses the connection, and names the workload in the log': async (open) => {
    const world = await open()
    const gone = await backend()
    await gone.close()
    await world.set('1-1-gone', 'a.test', [gone.url])
    expect((await world.get('a.test')).status).toBe(502)
    const two = await world.h2('a.test')
    expect((await two.request({ headers: {} })).status).toBe(502)
    await becomes(() => world.log.some((line) => line.includes('1-1-gone')), true)
  },

  'answers 502 where the backend speaks no HTTP, or half of it': async (open) => {
    const world = await open()
    const nonsense = [
      '',
      'SSH-2.0-x\r\n',
      'HTTP/1.1 20 OK\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Le',
      'HTTP/1.1 200 OK\r\nno colon\r\n\r\n',
    ]
    const smuggling = [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef',
      'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
      'HTTP/1.1 200 OK\r\nX-A: a\0b\r\n\r\n',
    ]
    for (const said of [...nonsense, ...smuggling]) {
      const raw = await bytesBackend(async (connection) => {
        await readHead(connection)
        connection.socket.end(Buffer.from(said, 'latin1'))
      })
      await world.set('1-1-a', 'a.test', [raw.url])
      expect([said, (await world.get('a.test')).status]).toEqual([said, 502])
    }
  },

  'answers 504 where the backend takes too long to answer, and serves others meanwhile': async (open) => {
    const world = await open({ limits: { responseSeconds: 1 } })
    const silent = await bytesBackend(async ({ closed }) => void (await closed))
    await world.set('1-1-silent', 'a.test', [silent.url])
    await world.set('2-1-b', 'b.test', [(await backend('fine')).url])
    const late = world.get('a.test')
    const two = (await world.h2('a.test')).request({ headers: {} })
    expect((await world.get('b.test')).text).toBe('fine')
    expect([(await late).status, (await two).status]).toEqual([504, 504])
    await becomes(() => world.log.some((line) => line.includes('1-1-silent')), true)
    await becomes(() => silent.connections, 0)
  },

  'lets a slow answer take its time once it has begun': async (open) => {
    const world = await open({ limits: { responseSeconds: 1 } })
    const slow = await backend((_, response) => {
      response.write('a')
      setTimeout(() => response.end('b'), 1_500)
    })
    await world.set('1-1-a', 'a.test', [slow.url])
    expect((await world.get('a.test')).text).toBe('ab')
  },

  'shows a client that an answer broke off': async (open) => {
    const world = await open()
    for (const head of ['Content-Length: 100', 'Transfer-Encoding: chunked']) {
      const raw = await bytesBackend(async (connection) => {
        await readHead(connection)
        await connection.send(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n${head.startsWith('T') ? '4\r\nhalf\r\n' : 'half'}`)
        connection.close()
      })
      await world.set('1-1-a', 'a.test', [raw.url])
      await expect(world.get('a.test')).rejects.toThrow('closed')
      const two = await world.h2('a.test')
      await expect(two.request({ headers: {} })).rejects.toThrow()
    }
  },

  'shows a backend that a request broke off': async (open) => {
    const world = await open()
    const broke = Promise.withResolvers<string>()
    const web = await backend((request) => {
      request.once('aborted', () => broke.resolve('aborted'))
      request.once('end', () => broke.resolve('whole'))
      request.resume()
    })
    await world.set('1-1-a', 'a.test', [web.url])
    const client = await world.h1('a.test')
    await client.send('POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n')
    await becomes(() => web.requests.length, 1)
    client.close()
    expect(await broke.promise).toBe('aborted')
  },

  "keeps one tenant's broken backend from another tenant's requests": async (open) => {
    const world = await open({ limits: { responseSeconds: 2 } })
    const reset = await bytesBackend(async ({ some, socket }) => {
      await some()
      socket.destroy()
    })
    const silent = await bytesBackend(async ({ closed }) => void (await closed))
    const garbage = await bytesBackend(async (connection) => {
      await readHead(connection)
      await connection.send(`HTTP/1.1 200 OK\r\n${'x'.repeat(1 << 20)}`)
    })
    const gone = await backend()
    await gone.close()
    const broken = [reset, silent, garbage, gone]
    await Promise.all(broken.map(({ url }, at) => world.set(`1-${at}-bad`, `bad${at}.test`, [url])))
    const web = await backend((request, response) => response.end(request.url))
    await world.set('2-1-good', 'good.test', [web.url])
    const bad = broken.flatMap((_, at) => Array.from({ length: 8 }, () => world.get(`bad${at}.test`).catch(() => undefined)))
    const one = await world.h1('good.test')
    const two = await world.h2('good.test')
    for (let count = 0; count < 50; count++) {
      expect((await one.request(`GET /${count}`, { Host: 'good.test' })).text).toBe(`/${count}`)
      expect((await two.request({ headers: { ':path': `/${count}` } })).text).toBe(`/${count}`)
    }
    const statuses = (await Promise.all(bad)).map((answer) => answer?.status)
    expect(statuses.filter((status) => ![undefined, 502, 504].includes(status))).toEqual([])
  },
}
