import { createHash } from 'node:crypto'
import { Agent, request } from 'node:http'
import { expect, test } from 'vitest'
import { createGateway, type RunningGateway } from '../../../../core/index.ts'
import { type HttpApiOptions, httpApi } from '../../../../plugins/index.ts'
import { basics, tableEngine } from '../../../core/parts.ts'
import { freePort, tempRoot } from '../../../kit/index.ts'
import { send } from './parts.ts'

const hashOf = (token: string) => `sha256:${createHash('sha256').update(token).digest('hex')}`

/** A gateway whose API takes what `options` is at the next reload. */
const reloadable = async (options: HttpApiOptions) => {
  const root = tempRoot()
  const state = { options }
  const plugins = basics(tableEngine().plugin)
  const config = () => ({ plugins: [...plugins, ...(state.options.tcp === undefined ? [] : [httpApi(state.options)])] })
  const gateway: RunningGateway = await createGateway(config(), { root: root.path, source: async () => config() })
  const close = async () => {
    await gateway.close()
    await root.remove()
  }
  return { gateway, state, socket: `${root.path}/gateway.sock`, close }
}

test('a reload with other tokens answers its caller, and ends the connections of before', async () => {
  const port = await freePort()
  const tcp = { host: '127.0.0.1', port }
  const url = `http://127.0.0.1:${port}`
  const api = await reloadable({ tcp, tokens: [{ hash: hashOf('one'), scope: 'write' }] })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const status = (token: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const outgoing = request(`${url}/v1/status`, { agent, headers: { authorization: `Bearer ${token}` } }, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode))
      })
      // What was reused was closed meanwhile: sent again, as clients do.
      outgoing.on('error', (error) => (outgoing.reusedSocket ? resolve(status(token)) : reject(error))).end()
    })
  expect([await status('one'), await status('two')]).toEqual([200, 401])
  api.state.options = { tcp, tokens: [{ hash: hashOf('two'), scope: 'write' }] }
  const headers = { authorization: 'Bearer one', 'content-type': 'application/json' }
  const reload = await send({ url }, '/v1/reload', { method: 'POST', headers })
  expect(reload).toMatchObject({ status: 200, json: { replaced: ['transport/http-api'] } })
  while ((await status('one')) === 200);
  expect([await status('one'), await status('two')]).toEqual([401, 200])
  expect((await send({ socket: api.socket }, '/v1/status')).status).toBe(200)
  agent.destroy()
  await api.close()
})

test('a reload that takes the API away answers its caller, ends the sockets, and another brings it back', async () => {
  const api = await reloadable({ tcp: false })
  api.state.options = {}
  const reload = await send({ socket: api.socket }, '/v1/reload', { method: 'POST' })
  expect(reload).toMatchObject({ status: 200, json: { removed: ['transport/http-api'] } })
  expect((await api.gateway.fetch(new Request('http://localhost/v1/status'))).status).toBe(501)
  api.state.options = { tcp: false }
  await api.gateway.reload()
  expect((await api.gateway.fetch(new Request('http://localhost/v1/status'))).status).toBe(200)
  expect((await send({ socket: api.socket }, '/v1/status')).status).toBe(200)
  await api.close()
})
