import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { tempRoot } from '../root.ts'
import { backend, becomes, type Cases } from './cases.ts'
import { defer } from './world.ts'

const folder = () => {
  const { path, remove } = tempRoot('log')
  defer(remove)
  return path
}

/** The access log of requests. */
export const logs: Cases = {
  'writes one JSON line a request, with workload, host, method, path, status and client': async (open) => {
    const file = join(folder(), 'access.log')
    const world = await open({ accessLog: file })
    await world.set('1-1-a', 'a.test', [(await backend((_, response) => response.writeHead(418).end('teapot'))).url])
    await world.get('a.test', '/brew?cups=2')
    const two = await world.h2('a.test')
    await two.request({ headers: { ':method': 'POST', ':path': '/two' }, body: '12345' })
    const lines = async () => {
      const text = await readFile(file, 'utf8').catch(() => '')
      return text.split('\n').filter((line) => line !== '')
    }
    await becomes(async () => (await lines()).length, 2)
    const [one, second] = (await lines()).map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(one).toMatchObject({
      workload: '1-1-a',
      host: 'a.test',
      method: 'GET',
      path: '/brew?cups=2',
      status: 418,
      client: '127.0.0.1',
    })
    expect(second).toMatchObject({ workload: '1-1-a', method: 'POST', path: '/two', status: 418, request: 5, response: 6 })
  },

  'keeps a request on its one line whatever it holds': async (open) => {
    const file = join(folder(), 'access.log')
    const world = await open({ accessLog: file })
    await world.set('1-1-a', 'a.test', [(await backend()).url])
    await world.get('a.test', '/%0a%0d"}\'<', { 'User-Agent': '[31m"}\t\xe2\x80\xa8' })
    const lines = async () => (await readFile(file, 'utf8').catch(() => '')).split('\n').slice(0, -1)
    // At its start Traefik may have a line for a question of the gateway's own.
    await becomes(async () => (await lines()).filter((line) => line.includes('a.test')).length, 1)
    for (const line of await lines()) {
      expect(() => JSON.parse(line)).not.toThrow()
      expect(line).not.toMatch(/[\x00-\x1f\u2028\u2029]/)
    }
  },

  'writes none by default, and no secret ever': async (open) => {
    const path = folder()
    const world = await open({ accessLog: join(path, 'access.log') })
    await world.set('1-1-a', 'a.test', [(await backend()).url])
    await world.get('a.test', '/', { Authorization: 'Bearer canary-1', Cookie: 'session=canary-2' })
    await becomes(async () => (await readdir(path)).length, 1)
    await world.close()
    const written = [await readFile(join(path, 'access.log'), 'utf8'), ...world.log].join('\n')
    expect(written).not.toContain('canary')
    const quiet = await open()
    await quiet.set('1-1-a', 'a.test', [(await backend()).url])
    await quiet.get('a.test', '/unseen')
    expect(quiet.log.filter((line) => line.includes('/unseen'))).toEqual([])
  },
}
