import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { httpApi } from '../../../plugins/index.ts'
import { type Asked, describeTransport, Refused } from '../../kit/index.ts'
import { standPlugins } from './stand.ts'

interface Problem {
  readonly code: string
  readonly detail: string
  readonly problems: readonly { readonly code: string; readonly message: string }[]
}

/** Requests over the unix socket, one behind the other on one connection; each gives the body of its answer, parsed. */
const sender = (socketPath: string, agent: Agent) => (method: string, path: string, body?: Asked) =>
  new Promise<unknown>((done, fail) => {
    const sent = request({ agent, socketPath, method, path, headers: { Host: 'localhost', 'Content-Type': 'application/json' } })
    sent.on('error', fail)
    sent.on('response', async (response) => {
      const answer: unknown = JSON.parse((await text(response)) || 'null')
      if ((response.statusCode ?? 500) < 300) return done(answer)
      const { code, problems } = answer as Problem
      fail(new Refused(code, problems.map(({ message }) => message).join('\n')))
    })
    sent.end(body && JSON.stringify(body))
  })

const at = (id: unknown) => `/v1/workloads/${encodeURIComponent(String(id))}`

describeTransport('transport/http-api', {
  plugins: standPlugins,
  transport: async ({ root }) => {
    const socket = `${root}/api.sock`
    return {
      plugin: httpApi({ tcp: false, socket }),
      caller: () => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 })
        const send = sender(socket, agent)
        return {
          set: async (_, id, fields) => ((await send('PUT', at(id), fields)) as { host: string }).host,
          delete: async (id) => {
            await send('DELETE', at(id))
          },
          metrics: async () => ((await send('GET', '/v1/metrics')) as { workloads: Record<string, never> }).workloads,
          plan: async (_, id, fields) => {
            const { problems } = (await send('PUT', `${at(id)}?plan`, fields)) as Pick<Problem, 'problems'>
            return problems.map(({ code }) => code)
          },
          close: () => agent.destroy(),
        }
      },
    }
  },
  // The id is a piece of the path, and which Set is meant is said by its field.
  inexpressible: ['an empty id', 'an id that is a number', 'no id', 'no fqdn', 'no name'],
})
